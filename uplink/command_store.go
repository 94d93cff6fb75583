package uplink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxNonces is how many commands that have not expired may be remembered.
	maxNonces       = 10_000
	maxCommandsFile = 4 << 20
)

// CommandStore remembers on disk which commands were obeyed, until they have
// expired, and whether the vehicle is paused. Both are in one small file that is
// replaced as a whole, so that a power cut can't keep one and lose the other. Its
// methods may be called by several goroutines.
type CommandStore struct {
	dir      string
	verifier Verifier
	damage   string
	paused   atomic.Bool

	mu    sync.Mutex // one command at a time: asking, writing and taking effect belong together
	state commandState
}

// commandState is what the file holds.
type commandState struct {
	Paused   bool                 `json:"paused"`
	PausedAt time.Time            `json:"paused_at,omitzero"` // when the newest pause was issued
	Nonces   map[string]time.Time `json:"nonces"`             // of obeyed commands, and when these expire
	Pruned   time.Time            `json:"pruned,omitzero"`    // what had expired by then is no longer in Nonces
	Lost     bool                 `json:"lost,omitempty"`     // the nonces are lost; Since is not known yet
	Since    time.Time            `json:"since,omitzero"`     // what was issued earlier may have been obeyed
}

// OpenCommandStore opens the store in dir, which is the store's own and is made
// if it is not there. What it takes is what v accepts.
//
// A damaged file is set aside, and the vehicle is then paused: whether it was is
// not known, and what is not known is a no. Nor are the nonces known any more, so
// every command that may be older than the damage is refused, a resume that
// somebody has kept among them. [CommandStore.Damage] says that this happened.
func OpenCommandStore(dir string, v Verifier) (*CommandStore, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open command store: %w", err)
	}
	s := &CommandStore{dir: dir, verifier: v}
	if err := s.read(); err != nil {
		return nil, fmt.Errorf("open command store: %w", err)
	}
	s.paused.Store(s.state.Paused)
	return s, nil
}

// Paused tells whether the vehicle is paused.
func (s *CommandStore) Paused() bool { return s.paused.Load() }

// Damage says what was found damaged at opening and what to do about it; "" says
// that all was well.
func (s *CommandStore) Damage() string { return s.damage }

// Take verifies a signed command at the trusted time now (zero = there is none)
// and obeys it: a pause or a resume has its effect on [CommandStore.Paused] when
// Take returns. Before anything has an effect the command is on disk as received,
// so that it can't be obeyed twice, whatever happens to this process.
func (s *CommandStore) Take(envelope []byte, now time.Time) CommandReport {
	c, err := s.verifier.VerifyCommand(envelope, now)
	if err == nil {
		err = s.accept(c, now)
	}
	r := CommandReport{Answers: hexDigest(envelope), Nonce: c.Nonce, Action: c.Action, Accepted: err == nil}
	if err != nil {
		r.Reason = err.Error()
	}
	return r
}

func (s *CommandStore) accept(c Command, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Lost {
		if err := s.beginAnew(now); err != nil {
			return fmt.Errorf("obey command: %w", err)
		}
	}
	if err := s.state.refuses(c); err != nil {
		return fmt.Errorf("obey command: %w", err)
	}
	next := s.state.after(c, now)
	if len(next.Nonces) > maxNonces {
		// Forgetting one would let it be replayed.
		return fmt.Errorf("obey command: %d commands that have not expired are remembered, and no more fit; wait until some have", maxNonces)
	}
	if err := s.write(next); err != nil {
		return fmt.Errorf("obey command: %w", err)
	}
	s.state = next
	s.paused.Store(next.Paused)
	return nil
}

// beginAnew draws the line behind lost nonces at the first trusted time there is.
// The clock of who signed a lost one may have been ahead of it.
func (s *CommandStore) beginAnew(now time.Time) error {
	next := s.state
	next.Lost, next.Since = false, now.Add(clockTolerance)
	if err := s.write(next); err != nil {
		return err
	}
	s.state = next
	return nil
}

// refuses tells why a command that is good by itself is not obeyed after those
// that came before it.
func (st *commandState) refuses(c Command) error {
	_, seen := st.Nonces[c.Nonce]
	switch {
	case seen:
		return fmt.Errorf("it was received before (nonce %s); send a new one", c.Nonce)
	case c.IssuedAt.Before(st.Since):
		return fmt.Errorf("the record of earlier commands was damaged, and only those issued after %s are obeyed; send a new one then", stamp(st.Since))
	case !c.ExpiresAt.After(st.Pruned):
		return fmt.Errorf("it expired at %s, and trusted time has been %s; send a new one", stamp(c.ExpiresAt), stamp(st.Pruned))
	case c.Action == Resume && c.IssuedAt.Before(st.PausedAt):
		// A broker that holds a resume back must not undo a later pause with it.
		// The other way round is let through: a pause does no harm.
		return fmt.Errorf("it was issued at %s, before the pause of %s; send a new one", stamp(c.IssuedAt), stamp(st.PausedAt))
	}
	return nil
}

// after returns the state with a command obeyed and expired nonces forgotten.
func (st *commandState) after(c Command, now time.Time) commandState {
	next := *st
	next.Nonces = maps.Clone(st.Nonces)
	maps.DeleteFunc(next.Nonces, func(_ string, expires time.Time) bool { return !expires.After(now) })
	if next.Nonces == nil {
		next.Nonces = map[string]time.Time{}
	}
	next.Nonces[c.Nonce] = c.ExpiresAt
	if now.After(next.Pruned) {
		next.Pruned = now.UTC()
	}
	switch c.Action {
	case Pause:
		next.Paused = true
		if c.IssuedAt.After(next.PausedAt) {
			next.PausedAt = c.IssuedAt
		}
	case Resume:
		next.Paused = false
	}
	return next
}

func (s *CommandStore) path() string { return filepath.Join(s.dir, "commands") }

// read reads the file; none is that of a vehicle that was never sent a command.
func (s *CommandStore) read() error {
	raw, err := readSmall(s.path(), maxCommandsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil && len(raw) <= maxCommandsFile {
		return err
	}
	if s.state, err = parseCommandState(raw); err == nil {
		return nil
	}
	return s.setAside(raw, err)
}

// setAside keeps a copy of a damaged file for whoever looks into it, and then
// replaces the file: where the power fails between the two, it is damaged still.
func (s *CommandStore) setAside(raw []byte, why error) error {
	aside := s.path() + ".damaged"
	s.state = commandState{Paused: true, Lost: true}
	s.damage = fmt.Sprintf("%s is damaged (%v) and was moved to %s; the vehicle is paused until it is sent a new resume", s.path(), why, aside)
	return errors.Join(replaceFile(aside, raw), s.write(s.state))
}

// parseCommandState reads the file: a sum, by which damage is told, and the state.
func parseCommandState(raw []byte) (commandState, error) {
	var st commandState
	sum, body, _ := strings.Cut(string(raw), "\n")
	if sum != hexDigest([]byte(body)) {
		return commandState{}, errors.New("its sum is wrong")
	}
	if err := json.Unmarshal([]byte(body), &st); err != nil {
		return commandState{}, err
	}
	return st, nil
}

func (s *CommandStore) write(st commandState) error {
	body, err := json.Marshal(st)
	if err != nil {
		return err
	}
	return replaceFile(s.path(), append([]byte(hexDigest(body)+"\n"), body...))
}
