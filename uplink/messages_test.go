package uplink

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const docs = "../docs"

// contract is docs/asyncapi.yaml as far as the test reads it.
type contract struct {
	Channels map[string]struct {
		Address  string
		Messages map[string]struct {
			Ref string `yaml:"$ref"`
		}
	}
	Components struct {
		Messages map[string]struct {
			Payload struct {
				Ref string `yaml:"$ref"`
			}
		}
	}
}

func readContract(t *testing.T) contract {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(docs, "asyncapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var c contract
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// channel returns the name of the channel of a topic and the schema of its payload.
func (c contract) channel(topic string) (name, schema string) {
	for name, ch := range c.Channels {
		pattern := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(ch.Address, `[^/]+`)
		if !regexp.MustCompile("^" + pattern + "$").MatchString(topic) {
			continue
		}
		for _, m := range ch.Messages {
			return name, c.Components.Messages[path.Base(m.Ref)].Payload.Ref
		}
	}
	return "", ""
}

// checkSchema holds JSON against a schema of docs, and the schema against the JSON:
// every member that is sent must be described.
func checkSchema(t *testing.T, what, schema string, data []byte) {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(docs, schema))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Errorf("%s: %v: %s", what, err, data)
		return
	}
	if err := s.Validate(value); err != nil {
		t.Errorf("%s: %v\n%s", what, err, data)
	}
	if missing := undescribed(s, value, ""); len(missing) > 0 {
		t.Errorf("%s: %s does not describe %s", what, schema, strings.Join(missing, ", "))
	}
}

// undescribed returns the members of a value that its schema does not know.
func undescribed(s *jsonschema.Schema, value any, at string) []string {
	for s != nil && s.Ref != nil {
		s = s.Ref
	}
	var missing []string
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member, ok := s.Properties[name]
			if !ok && s.AdditionalProperties == nil {
				missing = append(missing, at+"."+name)
			}
			if ok {
				missing = append(missing, undescribed(member, v[name], at+"."+name)...)
			}
		}
	case []any:
		for i, e := range v {
			if s.Items2020 != nil {
				missing = append(missing, undescribed(s.Items2020, e, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	}
	return missing
}

// payloadOf returns what an envelope holds.
func payloadOf(t *testing.T, envelope []byte) (payloadType string, payload []byte) {
	t.Helper()
	var e struct {
		PayloadType string
		Payload     string
	}
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return e.PayloadType, payload
}

// numbersOnly is an observation without a picture.
func numbersOnly(k Kind) Observation {
	o := someFinding(1)
	o.Kind, o.Object, o.Assessment, o.Redaction, o.Looks = k, nil, nil, nil, 12
	if k == Count {
		o.Counts = map[string]int{"container": 4}
	}
	return o
}

// everyField is a finding that leaves nothing out.
func everyField() Observation {
	o := someFinding(1)
	o.Notify = "ward 3"
	o.Assessment.Fallback, o.Assessment.Agreement = "yolox_s", new(true)
	o.Redaction.SecondLook = &SecondLook{Models: []string{"gadeblik_street"}, Hits: map[string]int{"person": 1}, Grown: true}
	o.Object.Position = &Place{Lat: 55.676, Lon: 12.568, Radius: 4}
	return o
}

// TestMessagesAreAsDocumented lets a vehicle, an admin and an inbox talk, and holds
// every message that passes the broker against docs/asyncapi.yaml and its schemas.
func TestMessagesAreAsDocumented(t *testing.T) {
	broker := newBroker(t)
	b, _ := openTestOutbox(t, t.TempDir(), OutboxConfig{})
	in := newTestInbox(t, InboxConfig{Broker: broker.url})
	running(t, in.Run)
	full, e := withEvidence(t, everyField())
	if err := b.Put(full, e, Terms{Day: "d"}); err != nil {
		t.Fatal(err)
	}
	for n, o := range []Observation{someFinding(2), numbersOnly(Count), numbersOnly(Clear)} {
		o.ID = NewID(o.Vehicle, o.Task, o.Time.UTC, 10+n)
		if err := b.Put(o, nil, Terms{Day: "d"}); err != nil {
			t.Fatal(err)
		}
	}
	obeyed := make(chan []byte, 1)
	l := newTestLink(t, LinkConfig{
		Broker: broker.url, Outbox: b, DrainTimeout: 5 * time.Second,
		OnCommand: func(envelope []byte) bool { obeyed <- envelope; return true },
		Status: func() Status {
			return Status{State: Armed, Paused: true, Command: &CommandReport{Answers: strings.Repeat("b", 64), Nonce: strings.Repeat("c", 32), Action: Pause, Reason: "no"}, Reason: "outside", OrdersVersion: 3, Time: time.Now(), Counters: map[string]uint64{"looked": 3}}
		},
		OnOrders: func([]byte) OrdersReport {
			return OrdersReport{Version: 3, Digest: strings.Repeat("a", 64), Errors: []string{"no"}, Time: time.Now()}
		},
	})
	stop := running(t, l.Run)
	if err := inject(broker, testPrefix+"orders/desired", signed(t, goodOrders(), testKey()), true); err != nil {
		t.Fatal(err)
	}
	command, err := SignCommand(NewCommand(Pause, "cph", []string{"*"}, time.Now(), time.Hour), testKey())
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the connection", l.Connected)
	if err := inject(broker, testPrefix+"commands", command, false); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the command", func() bool { return len(obeyed) == 1 })
	waitFor(t, "receipts and a report", func() bool { return b.Len() == 0 && len(broker.payloads(testPrefix+"orders/reported")) > 0 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	doc, seen := readContract(t), map[string]bool{}
	broker.mu.Lock()
	defer broker.mu.Unlock()
	for topic, payloads := range broker.seen {
		name, schema := doc.channel(topic)
		if name == "" {
			t.Errorf("topic %s is not in the contract", topic)
		}
		seen[name] = true
		for _, p := range payloads {
			if schema == "" { // evidence: no JSON
				continue
			}
			checkSchema(t, name, schema, p)
			if name == "commands" {
				_, inner := payloadOf(t, p)
				checkSchema(t, "command", "schemas/command.schema.json", inner)
			}
			if name == "observations" {
				kind, inner := payloadOf(t, p)
				if kind != ObservationPayloadType {
					t.Errorf("the type is %s", kind)
				}
				checkSchema(t, "observation", "schemas/observation.schema.json", inner)
			}
		}
	}
	for name := range doc.Channels {
		if !seen[name] {
			t.Errorf("nothing came on %s: the test proves little", name)
		}
	}
}
