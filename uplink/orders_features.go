package uplink

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// features reads the zones. The library's own decoder is not asked: it takes
// members in any case of letters, pads short positions with zeros and drops what
// it does not expect, so what it read need not be what a person sees on a map.
func (p *ordersParser) features(root *jsonValue, o *Orders) {
	list := p.need(root, "features")
	at := &jsonPath{name: "features"}
	switch {
	case list == nil:
		return
	case list.kind != '[' || len(list.kids) == 0:
		p.wrong(list, at, "must be a list with at least one zone")
		return
	}
	o.Features = geojson.NewFeatureCollection()
	first := map[string]int{}
	for i := range list.kids {
		n, at := &list.kids[i], at.at(i)
		if n.kind != '{' {
			p.wrong(n, at, "must be a Feature object")
			continue
		}
		f := p.feature(n, at)
		id, _ := f.ID.(string)
		if before, twice := first[id]; twice && id != "" {
			p.wrong(n.member("id"), at.key("id"), fmt.Sprintf("is the id of features[%d] too", before))
		}
		first[id] = i
		o.Features.Append(f)
	}
}

func (p *ordersParser) feature(n *jsonValue, at *jsonPath) *geojson.Feature {
	f := geojson.NewFeature(nil)
	if t := n.member("type"); t == nil || p.string(t) != "Feature" {
		p.complain(n, "type", at, `must be "Feature"`)
	}
	id := n.member("id")
	if id == nil || id.kind != '"' || p.string(id) == "" || len(p.string(id)) > maxWord || !printable(p.string(id)) {
		p.complain(n, "id", at, fmt.Sprintf("must be printable text of 1 to %d bytes, by which tasks name the zone", maxWord))
	} else {
		f.ID = p.string(id)
	}
	f.Geometry = p.geometry(n, at)
	props := n.member("properties")
	switch {
	case props == nil || props.kind == 'n':
		return f
	case props.kind != '{':
		p.complain(n, "properties", at, "must be an object or null")
		return f
	}
	if name := props.member("name"); name != nil && name.kind != '"' && name.kind != 'n' {
		p.wrong(name, at.key("properties").key("name"), "must be text")
	}
	if err := json.Unmarshal(p.text(props), &f.Properties); err != nil {
		p.bad.add(at.key("properties"), "%v", err)
	}
	return f
}

// complain reports a member that breaks the rule or is not there.
func (p *ordersParser) complain(n *jsonValue, name string, at *jsonPath, rule string) {
	if v := n.member(name); v != nil {
		p.wrong(v, at.key(name), rule)
		return
	}
	p.bad.add(at.key(name), "%s (it is missing)", rule)
}

func (p *ordersParser) geometry(feature *jsonValue, at *jsonPath) orb.Geometry {
	n := feature.member("geometry")
	if n == nil || n.kind != '{' {
		p.complain(feature, "geometry", at, "must be a Polygon or MultiPolygon")
		return nil
	}
	at = at.key("geometry")
	t, c := n.member("type"), n.member("coordinates")
	if t == nil || p.string(t) != "Polygon" && p.string(t) != "MultiPolygon" {
		p.complain(n, "type", at, `must be "Polygon" or "MultiPolygon"`)
		return nil
	}
	if c == nil {
		p.bad.add(at.key("coordinates"), "is missing")
		return nil
	}
	at = at.key("coordinates")
	if p.string(t) == "Polygon" {
		return orb.Polygon(p.polygon(c, at))
	}
	if !p.isList(c, at, "polygons") {
		return nil
	}
	var m orb.MultiPolygon
	for i := range c.kids {
		m = append(m, p.polygon(&c.kids[i], at.at(i)))
	}
	return m
}

func (p *ordersParser) isList(n *jsonValue, at *jsonPath, of string) bool {
	if n.kind != '[' || len(n.kids) == 0 {
		p.wrong(n, at, "must be a list of "+of)
		return false
	}
	return true
}

func (p *ordersParser) polygon(n *jsonValue, at *jsonPath) orb.Polygon {
	if !p.isList(n, at, "rings") {
		return nil
	}
	polygon := make(orb.Polygon, len(n.kids))
	for i := range n.kids {
		ring, at := &n.kids[i], at.at(i)
		if !p.isList(ring, at, "positions") {
			continue
		}
		for j := range ring.kids {
			polygon[i] = append(polygon[i], p.point(&ring.kids[j], jsonPath{parent: at, index: j}))
		}
	}
	return polygon
}

// point reads one position; a height is allowed and dropped.
func (p *ordersParser) point(n *jsonValue, at jsonPath) (point orb.Point) {
	good := n.kind == '[' && (len(n.kids) == 2 || len(n.kids) == 3)
	for i := range n.kids {
		x, err := strconv.ParseFloat(string(p.text(&n.kids[i])), 64)
		good = good && err == nil && n.kids[i].kind == '0'
		if good && i < len(point) {
			point[i] = x
		}
	}
	if !good {
		p.bad.add(&at, "must be a position, [longitude, latitude] (got %s)", oneLine(p.text(n)))
	}
	return point
}

// oneLine gives JSON for an error message.
func oneLine(raw []byte) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, short(string(raw)))
}
