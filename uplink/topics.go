package uplink

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	topicRoot = "gadeblik/v1/"

	topicStatus         = "status"
	topicOrdersDesired  = "orders/desired"
	topicOrdersReported = "orders/reported"
	topicObservations   = "observations"
	topicEvidence       = "evidence"
	topicReceipts       = "receipts"
	topicCommands       = "commands"
)

// Topics are the MQTT topics of one vehicle. The zero value has none; make it
// with [NewTopics].
type Topics struct{ prefix string }

// NewTopics returns the topics of a vehicle of a fleet. Each name is 1 to 64
// letters, digits, dots, dashes or underscores and starts with a letter or digit,
// so that it is one level of a topic and one element of a path everywhere.
func NewTopics(fleet, vehicle string) (Topics, error) {
	if err := checkName(fleet); err != nil {
		return Topics{}, fmt.Errorf("fleet: %w", err)
	}
	if err := checkName(vehicle); err != nil {
		return Topics{}, fmt.Errorf("vehicle: %w", err)
	}
	return Topics{prefix: topicRoot + fleet + "/" + vehicle + "/"}, nil
}

// Status is retained and has a last will.
func (t Topics) Status() string { return t.prefix + topicStatus }

// OrdersDesired is retained; the fleet's admin publishes signed orders on it.
func (t Topics) OrdersDesired() string { return t.prefix + topicOrdersDesired }

// OrdersReported is retained; the vehicle answers on it with an [OrdersReport].
func (t Topics) OrdersReported() string { return t.prefix + topicOrdersReported }

// Observation carries the observation with this id.
func (t Topics) Observation(id string) string { return t.prefix + topicObservations + "/" + id }

// Evidence carries the picture of the observation with this id.
func (t Topics) Evidence(id string) string { return t.prefix + topicEvidence + "/" + id }

// part is the topic of part k of n, counted from 1, of what is too long for one
// message; a whole one has no part.
func part(topic string, k, n int) string {
	if n == 1 {
		return topic
	}
	return fmt.Sprintf("%s/%d-%d", topic, k, n)
}

// Receipts carries the inbox's [Receipt]s to the vehicle.
func (t Topics) Receipts() string { return t.prefix + topicReceipts }

// Commands carries the admin's signed [Command]s to the vehicle. It is not
// retained.
func (t Topics) Commands() string { return t.prefix + topicCommands }

// address is who sent what, as a topic tells it.
type address struct {
	fleet, vehicle string
	kind           string // topicObservations or topicEvidence
	id             string
	k, n           int // part k of n, counted from 1; 1 of 1 is all of it
}

// maxParts is in how many parts an observation or a picture may come.
const maxParts = 512

// errPart marks a topic that is in order up to its part.
var errPart = fmt.Errorf("the part must be <k>-<n>: 1-2 up to %d-%d", maxParts, maxParts)

// parseTopic reads the topic of an observation or of evidence, or of a part of
// one. What it accepts is safe as an element of a path. With [errPart] it returns
// the rest of the address.
func parseTopic(topic string) (address, error) {
	rest, ok := strings.CutPrefix(topic, topicRoot)
	levels := strings.Split(rest, "/")
	if !ok || len(levels) < 4 || len(levels) > 5 {
		return address{}, fmt.Errorf("topic %q: want %s<fleet>/<vehicle>/observations|evidence/<id>", short(topic), topicRoot)
	}
	a := address{fleet: levels[0], vehicle: levels[1], kind: levels[2], id: levels[3], k: 1, n: 1}
	_, err := NewTopics(a.fleet, a.vehicle)
	switch {
	case err != nil:
		return address{}, fmt.Errorf("topic %q: %w", short(topic), err)
	case a.kind != topicObservations && a.kind != topicEvidence:
		return address{}, fmt.Errorf("topic %q: %q is neither observations nor evidence", short(topic), short(a.kind))
	case !validID(a.id):
		return address{}, fmt.Errorf("topic %q: the id is no UUID in lower case", short(topic))
	}
	if len(levels) == 5 {
		if a.k, a.n, ok = parsePart(levels[4]); !ok {
			return a, fmt.Errorf("%w (got %q)", errPart, short(levels[4]))
		}
	}
	return a, nil
}

// parsePart reads <k>-<n>. Each part has one name only.
func parsePart(text string) (k, n int, ok bool) {
	first, last, _ := strings.Cut(text, "-")
	k, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(last)
	ok = err1 == nil && err2 == nil && n >= 2 && n <= maxParts && k >= 1 && k <= n
	return k, n, ok && fmt.Sprintf("%d-%d", k, n) == text
}

func checkName(name string) error {
	if name == "" {
		return errors.New("must not be empty")
	}
	if len(name) > maxWord {
		return fmt.Errorf("must have at most %d characters (got %d)", maxWord, len(name))
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || r != '.' && r != '-' && r != '_') {
			return fmt.Errorf("must be letters, digits, '.', '-' or '_', the first a letter or digit (got %q)", name)
		}
	}
	return nil
}
