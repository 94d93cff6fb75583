//go:build linux

package uplink

import (
	"os"
	"path/filepath"
	"testing"
)

// TestInboxFullDisk: with no room left nobody gets a receipt; with room again
// everything can be stored.
func TestInboxFullDisk(t *testing.T) {
	dir := smallDisk(t, 1<<20)
	in := newTestInbox(t, InboxConfig{Dir: filepath.Join(dir, "inbox")})
	s := someSent(t, 1, true)
	full := filepath.Join(dir, "somebody-else")
	for _, first := range []string{topicEvidence, topicObservations} {
		eat(t, full)
		if v, err := in.shelf.take([]arrival{s.message(first)}); err == nil || !noSpace(err) {
			t.Errorf("%s: got %+v, %v", first, v, err)
		}
		if err := os.Remove(full); err != nil {
			t.Fatal(err)
		}
		give(t, in, s.message(topicEvidence)) // the disk is full when all has come
	}
	eat(t, full)
	if v, err := in.shelf.take([]arrival{s.message(topicObservations)}); err == nil || !noSpace(err) {
		t.Errorf("got %+v, %v", v, err)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	if v := give(t, in, s.message(topicObservations)); v.delivery == nil {
		t.Errorf("got %+v", v)
	}
	checkFiles(t, in, s.files())
}
