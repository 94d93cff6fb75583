package config

import (
	"strconv"
	"strings"
)

// didYouMean ends a complaint about a key or variable: with the known one that is
// nearest, else with those of the same section, else with nothing.
func didYouMean(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return "; did you mean " + near + "?"
	}
	section := word[:strings.LastIndex(word, ".")+1]
	var there []string
	for _, k := range known {
		if rest, ok := strings.CutPrefix(k, section); ok && section != "" && !strings.Contains(rest, ".") {
			there = append(there, rest)
		}
	}
	if len(there) > 0 {
		return "; " + strings.TrimSuffix(section, ".") + " has " + strings.Join(there, ", ")
	}
	return ""
}

// Nearest returns the known word that was probably meant, "" for none: a letter in five wrong
// at most, or its beginning, or the same key in the one other section that has it.
func Nearest(word string, known []string) string {
	if len(word) > 80 {
		return ""
	}
	plain := strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	best, bound := "", max(2, len(word)/5)+1
	for _, k := range known {
		if d := distance(plain, strings.ToLower(k)); d < bound {
			best, bound = k, d
		}
	}
	if best != "" {
		return best
	}
	last := plain[strings.LastIndex(plain, ".")+1:]
	elsewhere := 0
	for _, k := range known {
		switch {
		case strings.HasPrefix(strings.ToLower(k), plain+"_"):
			return k
		case strings.HasSuffix(k, "."+last):
			best = k
			elsewhere++
		}
	}
	if elsewhere == 1 {
		return best
	}
	return ""
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// printable gives a key somebody wrote, in quotation marks where it is not plainly
// a key.
func printable(key string) string {
	plain := len(key) <= 80 && strings.IndexFunc(key, func(r rune) bool {
		return !strings.ContainsRune("._-[]0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", r)
	}) < 0
	if plain && key != "" {
		return key
	}
	if len(key) > 80 {
		key = strings.ToValidUTF8(key[:80], "") + "…"
	}
	return strconv.Quote(key)
}
