package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// gather finds every file that the arguments name, in their order, and below
// folders in the order of names. What cannot be redacted is among them, with its
// reason. An error means that the call makes no sense: nothing must be done.
func gather(args []string, out string) ([]*photo, error) {
	var all []*photo
	for _, arg := range args {
		st, err := os.Stat(arg)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read pictures: there is no %s", arg)
		}
		if err != nil {
			return nil, fmt.Errorf("read pictures: %w", err)
		}
		if err := keepApart(arg, st.IsDir(), out); err != nil {
			return nil, err
		}
		if !st.IsDir() {
			all = append(all, named(arg))
			continue
		}
		found, err := walk(arg)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	all, err := oneEach(all, out)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(p *photo) bool { return p.Status != skipped }) {
		return nil, hinted(fmt.Errorf("%s holds no JPEG", strings.Join(args, ", ")), "other formats must be converted first")
	}
	return all, nil
}

// keepApart refuses an output folder in which originals lie, and one that lies
// among them: somebody would give away the one for the other, and the next run
// would take what this one wrote for an original.
func keepApart(in string, folder bool, out string) error {
	realIn, err := filepath.EvalSymlinks(in)
	if err != nil {
		return fmt.Errorf("read pictures: %w", err)
	}
	if realIn, err = filepath.Abs(realIn); err != nil {
		return fmt.Errorf("read pictures: %w", err)
	}
	realOut, err := resolve(out)
	if err != nil {
		return fmt.Errorf("find output folder: %w", err)
	}
	switch {
	case below(realOut, realIn):
		err = fmt.Errorf("%s lies in the output folder %s: originals and redacted pictures must not be mixed", in, out)
	case folder && below(realIn, realOut):
		err = fmt.Errorf("the output folder %s lies in %s: the next run would take redacted pictures for originals", out, in)
	default:
		return nil
	}
	return hinted(usageError{err}, "name a folder beside it with --out")
}

// resolve follows every link of a path of which the end need not exist.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for {
		at, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(at, rest), nil
		}
		if !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return "", err
		}
		rest, path = filepath.Join(filepath.Base(path), rest), filepath.Dir(path)
	}
}

// below tells whether path is dir or lies in it.
func below(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// walk finds every file below a folder, and names the folders that it cannot read.
func walk(dir string) ([]*photo, error) {
	// A folder that is named may be a link; below it none is followed, so that no
	// loop can be walked.
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("read pictures: %w", err)
	}
	var all []*photo
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(root, path)
		if relErr != nil {
			return relErr
		}
		p := &photo{source: filepath.Join(dir, rel), record: record{Path: filepath.ToSlash(rel)}}
		switch {
		case err != nil:
			p.fail(fmt.Errorf("what is in it is not known: %w", err))
		case d.IsDir():
			return nil
		case d.Type().IsRegular():
			p.sniff()
		default:
			p.follow(d)
		}
		all = append(all, p)
		return nil
	})
	return all, err
}

// lost is the reason of a link that no file belongs to.
const lost = "a link that leads nowhere"

// follow looks at what is neither a file nor a folder. A link to a picture is as
// good as the picture.
func (p *photo) follow(d fs.DirEntry) {
	if d.Type()&fs.ModeSymlink == 0 {
		p.skip("not a file") // opening a pipe would wait for ever
		return
	}
	st, err := os.Stat(p.source)
	switch {
	case err != nil && jpegName(p.source):
		p.fail(errors.New(lost))
	case err != nil:
		p.skip(lost)
	case st.IsDir():
		p.skip("a link to a folder is not followed")
	case !st.Mode().IsRegular():
		p.skip("not a file")
	default:
		p.sniff()
	}
}

// named is a file that somebody named, and so expects in the output folder: one
// that is no JPEG is a failure.
func named(arg string) *photo {
	p := &photo{source: arg, record: record{Path: filepath.Base(filepath.Clean(arg))}}
	if st, err := os.Stat(arg); err == nil && !st.Mode().IsRegular() {
		p.fail(errors.New("not a file"))
		return p
	}
	if p.sniff(); p.Status == skipped {
		p.fail(errors.New(p.Reason))
	}
	return p
}

// sniff tells a JPEG by how it begins, whatever it is called. What is called one and
// is none is a failure: somebody expects it to be redacted.
func (p *photo) sniff() {
	f, err := os.Open(p.source)
	if err != nil {
		p.fail(err)
		return
	}
	defer f.Close() // read from only
	var head [3]byte
	n, err := io.ReadFull(f, head[:])
	switch {
	case string(head[:n]) == "\xff\xd8\xff":
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
		p.fail(err)
	case jpegName(p.source):
		p.fail(errors.New("not a JPEG, in spite of its name"))
	default:
		p.skip("not a JPEG")
	}
}

// jpegName tells whether a file is called a JPEG. What a Mac puts beside each file on
// a foreign disk (._a.jpg) is called one too.
func jpegName(path string) bool {
	if strings.HasPrefix(filepath.Base(path), "._") {
		return false
	}
	return slices.Contains([]string{".jpg", ".jpeg", ".jpe", ".jfif"}, strings.ToLower(filepath.Ext(path)))
}

// oneEach drops what was named twice, and refuses two pictures that would become
// one file.
func oneEach(all []*photo, out string) ([]*photo, error) {
	var errs []error
	first := map[string]*photo{}
	kept := all[:0:0]
	for _, p := range all {
		q, taken := first[p.Path]
		switch {
		case taken && sameFile(p.source, q.source):
			continue
		case taken && p.Status != skipped && q.Status != skipped:
			errs = append(errs, fmt.Errorf("%s and %s would both become %s", q.source, p.source, filepath.Join(out, filepath.FromSlash(p.Path))))
		case p.Status == "" && slices.Contains(ownFiles(), p.Path):
			p.fail(errors.New("its name is taken by what is written beside the pictures; give it another"))
		}
		if !taken || q.Status == skipped {
			first[p.Path] = p
		}
		kept = append(kept, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, hinted(usageError{err}, "redact each folder into one of its own")
	}
	return kept, nil
}

func sameFile(a, b string) bool {
	one, err1 := looked(a)
	two, err2 := looked(b)
	return err1 == nil && err2 == nil && os.SameFile(one, two)
}

// looked follows a link where it leads somewhere.
func looked(path string) (fs.FileInfo, error) {
	if st, err := os.Stat(path); err == nil {
		return st, nil
	}
	return os.Lstat(path)
}
