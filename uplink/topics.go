package uplink

import (
	"errors"
	"fmt"
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

// Receipts carries the inbox's [Receipt]s to the vehicle.
func (t Topics) Receipts() string { return t.prefix + topicReceipts }

// address is who sent what, as a topic tells it.
type address struct {
	fleet, vehicle string
	kind           string // topicObservations or topicEvidence
	id             string
}

// parseTopic reads the topic of an observation or of evidence. What it accepts is
// safe as an element of a path.
func parseTopic(topic string) (address, error) {
	rest, ok := strings.CutPrefix(topic, topicRoot)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 4 {
		return address{}, fmt.Errorf("topic %q: want %s<fleet>/<vehicle>/observations|evidence/<id>", short(topic), topicRoot)
	}
	a := address{fleet: parts[0], vehicle: parts[1], kind: parts[2], id: parts[3]}
	_, err := NewTopics(a.fleet, a.vehicle)
	switch {
	case err != nil:
		return address{}, fmt.Errorf("topic %q: %w", short(topic), err)
	case a.kind != topicObservations && a.kind != topicEvidence:
		return address{}, fmt.Errorf("topic %q: %q is neither observations nor evidence", short(topic), short(a.kind))
	case !validID(a.id):
		return address{}, fmt.Errorf("topic %q: the id is no UUID in lower case", short(topic))
	}
	return a, nil
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
