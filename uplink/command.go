package uplink

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Action is what a [Command] asks for.
type Action string

// The actions. None of them makes a vehicle look where its orders do not let it:
// Resume takes back a Pause and no more.
const (
	Pause      Action = "pause"       // capture nothing until Resume, also after a restart
	Resume     Action = "resume"      // take Pause back
	SendStatus Action = "send_status" // publish the status now
)

const (
	maxCommand         = 64 << 10 // bytes of an envelope
	maxCommandVehicles = 256
	// maxCommandLife bounds how long a nonce must be remembered, and for how long
	// a broker can hold back a command that it then delivers after all.
	maxCommandLife = 24 * time.Hour
	// clockTolerance is how far ahead the clock of who signs may be.
	clockTolerance = 5 * time.Minute
	nonceLength    = 16 // bytes
)

// Command is one thing that a fleet's admin tells vehicles to do now. Make one
// with [NewCommand]; it counts once, signed with [SignCommand].
type Command struct {
	Action    Action    `json:"action" strict:"required"`
	Fleet     string    `json:"fleet" strict:"required"`
	Vehicles  []string  `json:"vehicles" strict:"required"` // the single entry "*" stands for all of the fleet
	Nonce     string    `json:"nonce" strict:"required"`    // 16 random bytes, hexadecimal: tells this command from every other
	IssuedAt  time.Time `json:"issued_at" strict:"required"`
	ExpiresAt time.Time `json:"expires_at" strict:"required"` // at most 24 hours after IssuedAt
}

// NewCommand returns a command, with a nonce of its own, that is good from now
// for the time it is given. [SignCommand] says whether it is in order.
func NewCommand(action Action, fleet string, vehicles []string, now time.Time, life time.Duration) Command {
	nonce := make([]byte, nonceLength)
	rand.Read(nonce) // never fails: the runtime ends the process instead
	now = now.UTC().Truncate(time.Millisecond)
	return Command{
		Action: action, Fleet: fleet, Vehicles: vehicles, Nonce: hex.EncodeToString(nonce),
		IssuedAt: now, ExpiresAt: now.Add(life),
	}
}

// SignCommand checks the command and wraps it in a DSSE envelope with one
// signature by each of the keys, which must differ.
func SignCommand(c Command, keys ...SigningKey) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("sign command: %w", err)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("sign command: %w", err)
	}
	envelope, err := signEnvelope(CommandPayloadType, payload, keys...)
	if err != nil {
		return nil, fmt.Errorf("sign command: %w", err)
	}
	return envelope, nil
}

// check reports every mistake in the command itself.
func (c Command) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !slices.Contains([]Action{Pause, Resume, SendStatus}, c.Action) {
		wrong("action: must be pause, resume or send_status (got %q)", short(string(c.Action)))
	}
	if err := checkName(c.Fleet); err != nil {
		wrong("fleet: %w", err)
	}
	if err := checkVehicles(c.Vehicles); err != nil {
		errs = append(errs, err)
	}
	if nonce, err := hex.DecodeString(c.Nonce); err != nil || len(nonce) != nonceLength || c.Nonce != strings.ToLower(c.Nonce) {
		wrong("nonce: must be %d bytes in lower-case hexadecimal (got %q)", nonceLength, short(c.Nonce))
	}
	switch life := c.ExpiresAt.Sub(c.IssuedAt); {
	case c.IssuedAt.IsZero() || life <= 0:
		wrong("expires_at: must be after issued_at (got %s and %s)", stamp(c.ExpiresAt), stamp(c.IssuedAt))
	case life > maxCommandLife:
		wrong("expires_at: must be at most %s after issued_at (got %s)", maxCommandLife, life)
	}
	return errors.Join(errs...)
}

func checkVehicles(vehicles []string) error {
	if len(vehicles) == 1 && vehicles[0] == "*" {
		return nil
	}
	if len(vehicles) == 0 || len(vehicles) > maxCommandVehicles {
		return fmt.Errorf(`vehicles: must name 1 to %d vehicles, or be ["*"] for all of the fleet (got %d)`, maxCommandVehicles, len(vehicles))
	}
	for i, v := range vehicles {
		if err := checkName(v); err != nil {
			return fmt.Errorf("vehicles[%d]: %w", i, err)
		}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// VerifyCommand returns the command in a DSSE envelope if enough of the keys that
// are trusted for orders have signed it, it is meant for this fleet and vehicle,
// and it is good at now, which must be trusted time; without any (zero) it is
// refused. Whether it was received before is for [CommandStore.Take] to say.
//
// Nothing of the payload is read before its signatures have been verified. Once
// they are, the command is returned beside an error too, for whoever answers it.
func (v Verifier) VerifyCommand(envelope []byte, now time.Time) (Command, error) {
	if err := v.Check(); err != nil {
		return Command{}, err
	}
	e, payload, err := openEnvelope(envelope, CommandPayloadType, maxCommand)
	if err == nil {
		err = checkSignatures(e, v.Keys, v.threshold())
	}
	if err != nil {
		return Command{}, fmt.Errorf("verify command: %w", err)
	}
	var c Command
	if err := DecodeStrict(payload, "command", &c); err != nil {
		return c, fmt.Errorf("verify command: %w", err)
	}
	err = c.check()
	if err == nil {
		err = v.counts(c, now)
	}
	if err != nil {
		return c, fmt.Errorf("verify command: %w", err)
	}
	return c, nil
}

// counts tells whether a well-formed command is for this vehicle and this moment.
func (v Verifier) counts(c Command, now time.Time) error {
	switch {
	case c.Fleet != v.Fleet:
		return fmt.Errorf("it is for fleet %q, this vehicle belongs to %q", c.Fleet, v.Fleet)
	case c.Vehicles[0] != "*" && !slices.Contains(c.Vehicles, v.Vehicle):
		return fmt.Errorf("it does not name vehicle %q (it names %s)", v.Vehicle, short(strings.Join(c.Vehicles, ", ")))
	case now.IsZero():
		return errors.New("there is no trusted time yet to tell whether it has expired; send it again when the vehicle has a GPS fix")
	case !now.Before(c.ExpiresAt):
		return fmt.Errorf("it expired at %s, trusted time is %s; send a new one", stamp(c.ExpiresAt), stamp(now))
	case c.IssuedAt.After(now.Add(clockTolerance)):
		return fmt.Errorf("it was issued at %s, more than %s after the trusted time %s; set the clock of the machine that signs", stamp(c.IssuedAt), clockTolerance, stamp(now))
	}
	return nil
}
