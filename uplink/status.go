package uplink

import (
	"encoding/json"
	"time"
)

// State says in one word how an agent is.
type State string

// The states of an agent. [Offline] is what the broker says when the connection
// has ended without a word.
const (
	Off       State = "off"       // the driver's switch is off
	Armed     State = "armed"     // ready; no zone is open
	Capturing State = "capturing" // the camera streams
	NoFix     State = "no_fix"    // position or time unknown
	Degraded  State = "degraded"  // something is broken; the reason says what
	Stopped   State = "stopped"   // the agent was stopped in an orderly way
	Offline   State = "offline"   // the connection broke
)

// Status is what the agent says about itself on the retained status topic.
type Status struct {
	State         State             `json:"state"`
	Reason        string            `json:"reason,omitempty"`
	OrdersVersion uint64            `json:"orders_version,omitempty"`
	Time          time.Time         `json:"time,omitzero"`
	Counters      map[string]uint64 `json:"counters,omitempty"`
	Paused        bool              `json:"paused,omitempty"`  // by a command; only another one ends it
	Command       *CommandReport    `json:"command,omitempty"` // on the newest command, obeyed or refused
}

func (s Status) payload() ([]byte, error) { return json.Marshal(s) }

// CommandReport is the vehicle's answer to a command.
type CommandReport struct {
	Answers  string `json:"answers"`          // SHA-256 of the envelope that was received
	Nonce    string `json:"nonce,omitempty"`  // with Action, where a trusted key has signed
	Action   Action `json:"action,omitempty"` // what was asked for
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"` // why it was refused
}

// OrdersReport is the vehicle's answer to orders: what is in force now, and
// whether the orders just received were accepted.
type OrdersReport struct {
	Answers  string    `json:"answers"`          // SHA-256 of the envelope that was received; [Link] fills it in
	Version  uint64    `json:"version"`          // in force; 0 = none
	Digest   string    `json:"digest,omitempty"` // of the orders in force
	Accepted bool      `json:"accepted"`
	Errors   []string  `json:"errors,omitempty"` // every mistake of refused orders
	Time     time.Time `json:"time,omitzero"`
}
