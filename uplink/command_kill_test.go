package uplink

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	commandVictimDir = "GADEBLIK_TEST_COMMANDS"
	commandVictimKey = "GADEBLIK_TEST_COMMANDS_KEY"
)

// TestCommandVictim is the process that the campaign kills: it obeys commands as
// fast as it can and says each that it has obeyed.
func TestCommandVictim(t *testing.T) {
	dir := os.Getenv(commandVictimDir)
	if dir == "" {
		t.Skip("started by the campaign only")
	}
	key, err := ReadPrivate(os.Getenv(commandVictimKey))
	if err != nil {
		fmt.Println("error", err)
		return
	}
	s, err := OpenCommandStore(dir, Verifier{Keys: []PublicKey{key.Public()}, Fleet: "cph", Vehicle: "sweeper-7"})
	if err != nil || s.Damage() != "" {
		fmt.Println("error", err, s.Damage())
		return
	}
	for i := 0; ; i++ {
		action := []Action{Pause, Resume}[i%2]
		envelope, err := SignCommand(order(action), key)
		if err != nil {
			fmt.Println("error", err)
			return
		}
		if r := s.Take(envelope, noon); !r.Accepted {
			fmt.Println("error", r.Reason)
			return
		}
		fmt.Printf("obeyed %s %s\n", action, envelope)
	}
}

// TestCommandsSurviveKills kills a process that obeys commands: what it said to
// have obeyed is never obeyed again.
func TestCommandsSurviveKills(t *testing.T) {
	rounds := 15
	if testing.Short() {
		rounds = 5
	}
	c := newCommander(t)
	keyFile := filepath.Join(t.TempDir(), "admin.key")
	if err := WriteKey(keyFile, c.key); err != nil {
		t.Fatal(err)
	}
	total := 0
	for range rounds {
		said := kill(t, "TestCommandVictim", time.Duration(rand.IntN(30_000))*time.Microsecond, commandVictimDir+"="+c.dir, commandVictimKey+"="+keyFile)
		c.reopen()
		if c.store.Damage() != "" {
			t.Fatal(c.store.Damage())
		}
		for line := range strings.Lines(string(said)) {
			if !strings.HasSuffix(line, "\n") {
				continue // killed while speaking
			}
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			_, envelope, _ := strings.Cut(rest, " ")
			if word != "obeyed" {
				t.Fatalf("the victim says %s", line)
			}
			total++
			c.refuses([]byte(envelope), noon, "it was received before")
		}
	}
	t.Logf("%d kills, %d commands", rounds, total)
}
