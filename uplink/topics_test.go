package uplink

import (
	"errors"
	"strings"
	"testing"
)

func TestTopicsOfParts(t *testing.T) {
	topics, err := NewTopics("cph", "sweeper-7")
	if err != nil {
		t.Fatal(err)
	}
	id := someFinding(1).ID
	whole := address{fleet: "cph", vehicle: "sweeper-7", kind: topicObservations, id: id, k: 1, n: 1}
	for _, p := range [][2]int{{1, 1}, {1, 2}, {2, 2}, {10, 12}, {1, maxParts}, {maxParts, maxParts}} {
		want := whole
		want.k, want.n = p[0], p[1]
		if a, err := parseTopic(part(topics.Observation(id), p[0], p[1])); err != nil || a != want {
			t.Errorf("got %+v, %v, want %+v", a, err, want)
		}
	}
	for _, bad := range []string{"1-1", "0-2", "3-2", "1-513", "1-100000", "-1-2", "1--2", "01-2", "1-02", "+1-2", "1-2 ", "1", "1-", "-", "", "1-99999999999999999999"} {
		a, err := parseTopic(topics.Observation(id) + "/" + bad)
		if !errors.Is(err, errPart) || a.id != id || !strings.Contains(err.Error(), "1-2 up to 512-512 (got ") {
			t.Errorf("%q: got %+v, %v", bad, a, err)
		}
	}
	if _, err := parseTopic(topics.Observation(id) + "/1-2/3"); err == nil || errors.Is(err, errPart) {
		t.Errorf("got %v", err)
	}
}
