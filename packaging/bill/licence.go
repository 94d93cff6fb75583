package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
)

// licence is what a part may be passed on under.
type licence struct {
	ids     []string // SPDX; all of them hold
	text    string   // as its authors wrote it
	holders []string // of the copyright, with years where they say them
}

// marks tell licences by sentences that no other has.
var marks = []struct {
	id     string
	phrase *regexp.Regexp
}{
	{"Apache-2.0", phrase("Apache License,? Version 2.0")},
	{"MIT", phrase("Permission is hereby granted, free of charge, to any person obtaining a copy")},
	{"BSD-3-Clause", phrase("Redistribution and use in source and binary forms, with or without modification, are permitted")},
	{"ISC", phrase("Permission to use, copy, modify, and(/or)? distribute this software for any purpose with or without fee is hereby granted")},
	{"MPL-2.0", phrase("Mozilla Public License Version 2.0")},
	{"EPL-2.0", phrase("Eclipse Public License - v 2.0")},
}

// phrase matches across line ends.
func phrase(s string) *regexp.Regexp {
	return regexp.MustCompile("(?is)" + strings.ReplaceAll(s, " ", `\s+`))
}

// third is what the BSD licence of two clauses lacks.
var third = phrase("(Neither the name|The names of its contributors may not)")

// mayLink are the licences that the program may be linked with.
var mayLink = map[string]bool{"Apache-2.0": true, "MIT": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "ISC": true}

// holder is a line that names who holds a copyright, and not the form to fill in.
var holder = regexp.MustCompile(`(?im)^[ \t]*Copyright[ \t]+(\(c\)[ \t]*|©[ \t]*)*([^\n]+)$`)

// form is what the Apache licence's appendix shows, and sentences about copyrights.
var form = regexp.MustCompile(`(?i)\[yyyy\]|^(notice|license|holders?|staring|owner)\b`)

// classify says which licence a text is. One that it does not know is an error: then
// a person has to read it.
func classify(text string) (licence, error) {
	l := licence{text: strings.TrimSpace(text)}
	for _, m := range marks {
		if !m.phrase.MatchString(text) {
			continue
		}
		id := m.id
		if id == "BSD-3-Clause" && !third.MatchString(text) {
			id = "BSD-2-Clause"
		}
		if !mayLink[id] {
			return l, fmt.Errorf("the licence is %s, which the package may not pass on like this", id)
		}
		l.ids = append(l.ids, id)
	}
	if len(l.ids) == 0 {
		return l, errors.New("no licence that is known here; read it, and add it to packaging/bill")
	}
	for _, found := range holder.FindAllStringSubmatch(text, -1) {
		who := strings.TrimSpace(found[2])
		if !form.MatchString(who) {
			l.holders = append(l.holders, who)
		}
	}
	return l, nil
}

// expression is the licence as SPDX writes it.
func (l licence) expression() string { return strings.Join(l.ids, " AND ") }

// referred tells whether Debian keeps the text on every system.
func (l licence) referred() bool { return len(l.ids) == 1 && l.ids[0] == "Apache-2.0" }

// copyrightFile is Debian's machine-readable copyright file.
func copyrightFile(parts []part) string {
	var b strings.Builder
	b.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n" +
		"Upstream-Name: gadeblik\n" +
		"Comment: The program is linked with the modules below and comes with ONNX Runtime.\n" +
		" A stanza's files are the sources of the module that it names; none is changed.\n" +
		" ONNX Runtime contains third-party software in turn, whose notices its project\n" +
		" keeps in ThirdPartyNotices.txt at https://github.com/microsoft/onnxruntime.\n")
	stanza(&b, "*", licence{ids: []string{"Apache-2.0"}, holders: []string{ourselves}}, "Gadeblik")
	for _, p := range parts {
		if p.kind != "machine-learning-model" { // these are among our own files
			stanza(&b, strings.ReplaceAll(p.name, " ", "-")+"/*", p.licence, p.name)
		}
	}
	b.WriteString("\nLicense: Apache-2.0\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n")
	return b.String()
}

// apache is the whole Apache licence, which Debian wants referred to and not repeated.
var apache = regexp.MustCompile(`(?s)\n[ \t]*Apache License\s+Version 2\.0, January 2004.*?END OF TERMS AND CONDITIONS`)

func stanza(b *strings.Builder, files string, l licence, name string) {
	holders := l.holders
	if len(holders) == 0 {
		holders = []string{"The authors of " + name}
	}
	fmt.Fprintf(b, "\nFiles: %s\nCopyright: %s\nLicense: %s\n", files, strings.Join(holders, "\n "), strings.Join(l.ids, " and "))
	if l.referred() {
		return
	}
	text := apache.ReplaceAllString(l.text, "\n[The text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.]")
	for line := range strings.Lines(text + "\n") {
		if line = strings.TrimRight(line, " \t\r\n"); line == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
}

// noticeFile passes on what authors want passed on.
func noticeFile(parts []part) string {
	var b strings.Builder
	b.WriteString("Gadeblik\nIt contains software of others; their notices follow, the licences are in the file copyright.\n")
	for _, p := range parts {
		if p.notice != "" {
			fmt.Fprintf(&b, "\n---- %s %s\n\n%s\n", p.name, p.version, p.notice)
		}
	}
	return b.String()
}

// licenceList is for people: what is in the package, and under which licence.
func licenceList(parts []part) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PART\tVERSION\tLICENCE")
	for _, p := range parts {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.name, p.version, p.licence.expression())
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

// mit is the licence of ONNX Runtime.
const mit = `MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`
