package uplink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/paulmach/orb/geojson"
)

// Header says which orders these are, for whom, and when they hold.
type Header struct {
	Version   uint64   // grows with every set of orders a fleet is given
	Fleet     string   // the one fleet they are for
	Vehicles  []string // the vehicles they are for; the single entry "*" stands for all
	NotBefore time.Time
	NotAfter  time.Time // after NotBefore; both in UTC
}

// names tells whether the orders are for the vehicle.
func (h Header) names(vehicle string) bool {
	return slices.Contains(h.Vehicles, "*") || slices.Contains(h.Vehicles, vehicle)
}

// Orders is a set of tasks and the zones they refer to, as written. Nothing in it
// may be changed. The zones' rings are lists of positions and no more: whether
// they bound an area is for package geofence to say, what a task means for
// package agent.
type Orders struct {
	Header
	Digest   string                     // SHA-256 of Payload, hexadecimal
	Features *geojson.FeatureCollection // polygons and multipolygons, each with a text for ID and with properties; no foreign members
	Tasks    []json.RawMessage          // objects with the members of a task and no others
	Payload  []byte                     // the document, byte for byte
}

// headerJSON is the member gadeblik.
type headerJSON struct {
	Version   versionJSON `json:"version" strict:"required"`
	Fleet     nameJSON    `json:"fleet" strict:"required"`
	Vehicles  []string    `json:"vehicles" strict:"required"`
	NotBefore time.Time   `json:"not_before" strict:"required"`
	NotAfter  time.Time   `json:"not_after" strict:"required"`
}

// taskJSON names the members of a task. Only its id is looked at here: it becomes
// part of file names.
type taskJSON struct {
	ID             nameJSON        `json:"id" strict:"required"`
	Title          json.RawMessage `json:"title"`
	Purpose        json.RawMessage `json:"purpose"`
	LegalBasis     json.RawMessage `json:"legal_basis"`
	Controller     json.RawMessage `json:"controller"`
	Zones          json.RawMessage `json:"zones"`
	Labels         json.RawMessage `json:"labels"`
	MinScore       json.RawMessage `json:"min_score"`
	UncertainScore json.RawMessage `json:"uncertain_score"`
	Schedule       struct {
		Timezone json.RawMessage `json:"timezone"`
		Weekdays json.RawMessage `json:"weekdays"`
		Hours    json.RawMessage `json:"hours"`
		Dates    json.RawMessage `json:"dates"`
	} `json:"schedule"`
	MaxSpeedKmh  json.RawMessage `json:"max_speed_kmh"`
	EveryM       json.RawMessage `json:"every_m"`
	Action       json.RawMessage `json:"action"`
	Context      json.RawMessage `json:"context"`
	Redact       json.RawMessage `json:"redact"`
	DedupM       json.RawMessage `json:"dedup_m"`
	QuotaPerDay  json.RawMessage `json:"quota_per_day"`
	ExpiresAfter json.RawMessage `json:"expires_after"`
	Priority     json.RawMessage `json:"priority"`
	Notify       json.RawMessage `json:"notify"`
	Models       struct {
		Primary  json.RawMessage `json:"primary"`
		Fallback json.RawMessage `json:"fallback"`
	} `json:"models"`
}

// versionJSON stays below 2^53, where every JSON reader still agrees.
type versionJSON uint64

func (v *versionJSON) UnmarshalJSON(raw []byte) error {
	n, err := strconv.ParseUint(string(raw), 10, 64)
	if err != nil || n == 0 || n >= 1<<53 {
		return errors.New("must be a positive integer")
	}
	*v = versionJSON(n)
	return nil
}

// nameRule is the rule of checkName.
const nameRule = "must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit"

type nameJSON string

func (n *nameJSON) UnmarshalText(text []byte) error {
	if checkName(string(text)) != nil {
		return errors.New(nameRule)
	}
	*n = nameJSON(text)
	return nil
}

// ParseOrders reads orders that are not signed: a GeoJSON FeatureCollection with
// the foreign members gadeblik and tasks. It takes up to 4 MiB. The error joins
// every mistake, each with its path, the rule and the value, such as
// "gadeblik.version: must be a positive integer (got -1)". Members unknown in gadeblik and in tasks are mistakes; elsewhere they
// are foreign members, which RFC 7946 allows and which are ignored.
//
// For replay, demonstration and signing only; a vehicle on the road uses
// [Verifier.Verify].
func ParseOrders(payload []byte) (*Orders, error) {
	if len(payload) > maxOrders {
		return nil, fmt.Errorf("the orders have %d bytes, at most %d are allowed", len(payload), maxOrders)
	}
	root, err := parseJSON(payload, nil)
	if err != nil {
		return nil, err
	}
	p := ordersParser{strictDecoder{raw: bytes.Clone(payload)}}
	o := &Orders{Payload: p.raw, Digest: hexDigest(p.raw)}
	if root.kind != '{' {
		return nil, fmt.Errorf("the orders must be a GeoJSON FeatureCollection (got %s)", show(p.raw, root))
	}
	p.collection(root)
	p.header(root, o)
	p.features(root, o)
	p.tasks(root, o)
	if err := p.bad.err(); err != nil {
		return nil, err
	}
	return o, nil
}

type ordersParser struct{ strictDecoder }

// need returns a member that must be there; one that is nearly called so is
// named in the complaint.
func (p *ordersParser) need(root *jsonValue, name string) *jsonValue {
	v := root.member(name)
	if v != nil {
		return v
	}
	for _, other := range root.names() {
		if nearestWord(other, []string{name}) != "" {
			p.bad.add((*jsonPath)(nil).key(name), "is missing; rename %s to it", strconv.Quote(short(other)))
			return nil
		}
	}
	p.bad.add((*jsonPath)(nil).key(name), "is missing")
	return nil
}

func (p *ordersParser) collection(root *jsonValue) {
	t := p.need(root, "type")
	if t != nil && p.string(t) != "FeatureCollection" {
		p.wrong(t, &jsonPath{name: "type"}, `must be "FeatureCollection"`)
	}
}

func (p *ordersParser) header(root *jsonValue, o *Orders) {
	n := p.need(root, "gadeblik")
	if n == nil {
		return
	}
	at := &jsonPath{name: "gadeblik"}
	var h headerJSON
	p.decode(n, at, reflect.ValueOf(&h).Elem())
	o.Header = Header{uint64(h.Version), string(h.Fleet), h.Vehicles, h.NotBefore.UTC(), h.NotAfter.UTC()}
	if v := n.member("vehicles"); v != nil && v.kind == '[' {
		p.vehicles(v, at.key("vehicles"))
	}
	if to := n.member("not_after"); to != nil && !h.NotBefore.IsZero() && !h.NotAfter.IsZero() && !h.NotAfter.After(h.NotBefore) {
		p.wrong(to, at.key("not_after"), "must be after not_before")
	}
}

func (p *ordersParser) vehicles(list *jsonValue, at *jsonPath) {
	if len(list.kids) == 0 {
		p.bad.add(at, `must name the vehicles, or be ["*"] for all of the fleet (got an empty list)`)
	}
	seen := map[string]bool{}
	for i := range list.kids {
		v := &list.kids[i]
		name := p.string(v)
		switch {
		case v.kind != '"': // complained about already
		case name == "*" && len(list.kids) > 1:
			p.wrong(v, at.at(i), "stands for all vehicles and must then be alone")
		case name != "*" && checkName(name) != nil:
			p.wrong(v, at.at(i), nameRule)
		case seen[name]:
			p.wrong(v, at.at(i), "is named twice")
		}
		seen[name] = true
	}
}

func (p *ordersParser) tasks(root *jsonValue, o *Orders) {
	list := p.need(root, "tasks")
	at := &jsonPath{name: "tasks"}
	switch {
	case list == nil:
		return
	case list.kind != '[' || len(list.kids) == 0:
		p.wrong(list, at, "must be a list with at least one task")
		return
	}
	first := map[nameJSON]int{}
	for i := range list.kids {
		var t taskJSON
		n := &list.kids[i]
		p.decode(n, at.at(i), reflect.ValueOf(&t).Elem())
		if before, twice := first[t.ID]; twice && t.ID != "" {
			p.wrong(n.member("id"), at.at(i).key("id"), fmt.Sprintf("is the id of tasks[%d] too", before))
		}
		first[t.ID] = i
		o.Tasks = append(o.Tasks, json.RawMessage(p.text(n)))
	}
}
