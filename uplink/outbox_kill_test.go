package uplink

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const (
	victimDir   = "GADEBLIK_TEST_OUTBOX"
	victimStart = "GADEBLIK_TEST_START"
)

// TestOutboxVictim is the process that the campaigns kill: it puts, removes,
// refuses, sets aside and requeues as fast as it can, and says on its output what
// it is about to remove and what has been accepted.
func TestOutboxVictim(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		t.Skip("started by the campaigns only")
	}
	b, _, err := OpenOutbox(dir, OutboxConfig{MinFree: noReserve})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	start := 0
	fmt.Sscan(os.Getenv(victimStart), &start)
	rng := rand.New(rand.NewPCG(uint64(start), 3))
	for n := start; ; n++ {
		if err := putPayload(b, n); err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println("put", n)
		switch rng.IntN(6) {
		case 0, 1:
			k, l := start+rng.IntN(n-start+1), start+rng.IntN(n-start+1)
			fmt.Println("remove", k, l)
			err = b.Remove(testID(k).String(), testID(l).String())
		case 2:
			err = b.Quarantine(testID(start+rng.IntN(n-start+1)).String(), "campaign")
		case 3:
			_, err = b.Requeue()
		}
		if err != nil {
			fmt.Println("error", err)
			return
		}
	}
}

// ledger is what a victim has said: what it put, and what it may have removed.
type ledger struct{ put, removing map[int]bool }

func (l *ledger) read(t *testing.T, said []byte) {
	t.Helper()
	for line := range strings.Lines(string(said)) {
		if !strings.HasSuffix(line, "\n") {
			continue // killed while speaking: it had not finished saying it
		}
		var word string
		var a, b int
		switch n, _ := fmt.Sscan(line, &word, &a, &b); {
		case word == "put" && n == 2:
			l.put[a] = true
		case word == "remove" && n == 3:
			l.removing[a], l.removing[b] = true, true
		case word == "error":
			t.Fatalf("the victim says: %s", line)
		}
	}
}

// check opens the outbox and holds it to its promise: all that was accepted and
// not about to be removed is there, byte for byte, once.
func (l *ledger) check(t *testing.T, dir string) OpenReport {
	t.Helper()
	b, report, err := OpenOutbox(dir, OutboxConfig{MinFree: noReserve})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Requeue(); err != nil {
		t.Fatal(err)
	}
	items, err := b.Next(Item{}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Item{}
	for _, it := range items {
		if _, twice := found[it.ID]; twice {
			t.Errorf("item %s is there twice", it.ID)
		}
		found[it.ID] = it
	}
	for n := range l.put {
		it, ok := found[testID(n).String()]
		if !ok {
			if !l.removing[n] {
				t.Errorf("item %d was accepted and is gone", n)
			}
			continue
		}
		_, observation, evidence := payload(n)
		o, e, err := b.Load(it)
		if err != nil || !bytes.Equal(o, observation) || !bytes.Equal(e, evidence) {
			t.Errorf("item %d has changed (%v)", n, err)
		}
	}
	return report
}

// killVictim runs a victim on a directory and kills it after a while.
func killVictim(t *testing.T, dir string, start int, after time.Duration) []byte {
	t.Helper()
	return kill(t, "TestOutboxVictim", after, victimDir+"="+dir, fmt.Sprintf("%s=%d", victimStart, start))
}

// kill runs a test of this binary as a process of its own, kills it so long after its
// first word, and returns what it has said.
func kill(t *testing.T, test string, after time.Duration, env ...string) []byte {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadBytes('\n') // it works
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(lines); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // killed
	return append(first, rest.Bytes()...)
}

// TestOutboxKillCampaign kills a process that uses the outbox at random moments.
func TestOutboxKillCampaign(t *testing.T) {
	rounds := 40
	switch {
	case os.Getenv("CAMPAIGN") == "long":
		rounds = 400
	case testing.Short():
		rounds = 30
	}
	t.Parallel()
	dir := t.TempDir()
	l := ledger{put: map[int]bool{}, removing: map[int]bool{}}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	var sum OpenReport
	for round := range rounds {
		after := time.Duration(rng.IntN(60_000)) * time.Microsecond
		l.read(t, killVictim(t, dir, 10_000*round, after))
		r := l.check(t, dir)
		if r.Rebuilt != "" || r.Damaged > 0 {
			t.Errorf("round %d: a kill has damaged something: %+v", round, r)
		}
		sum.Adopted += r.Adopted
		sum.Swept += r.Swept
		sum.Missing += r.Missing
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d kills: %d items accepted, %d announced for removal; when opening %d adopted, %d swept, %d without a file",
		rounds, len(l.put), len(l.removing), sum.Adopted, sum.Swept, sum.Missing)
}
