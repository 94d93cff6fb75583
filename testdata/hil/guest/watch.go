package guest

import (
	"os"
	"regexp"
	"time"
)

// watchEvery is a part of the shortest thing that is watched, a tenth of a second of light.
const watchEvery = 20 * time.Millisecond

// watch reads a file again and again and counts where a pattern is in it.
func watch(r Request) (Answer, error) {
	pattern, err := regexp.Compile(r.Line)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	was := true // what is there at first has not come
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for end := time.Now().Add(r.Timeout); time.Now().Before(end); <-tick.C {
		raw, err := os.ReadFile(r.Path)
		if err != nil {
			return a, err
		}
		a.Looks++
		is := pattern.Match(raw)
		if is {
			a.Seen++
		}
		if is && !was {
			a.Came++
		}
		was = is
	}
	return a, nil
}
