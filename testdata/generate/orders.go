package main

import (
	"encoding/json"
	"math"
)

// stretch is a part of the street between two places, and how far to its sides (left negative).
type stretch struct{ from, to, left, right float64 }

func zoneOne() stretch    { return stretch{36, 136, -26, 52} }
func schoolYard() stretch { return stretch{90, 112, -13, 42} }
func zoneTwo() stretch    { return stretch{141, 233, -26, 26} }
func zoneThree() stretch  { return stretch{237, 262, -24, 24} }

func (z stretch) covers(s float64) bool { return s > z.from && s < z.to }

// ring outlines the stretch as GeoJSON wants it: longitude first, closed, counter-clockwise outside and clockwise for
// holes.
func (z stretch) ring(l *line, hole bool) [][2]float64 {
	var out [][2]float64
	n := int(math.Ceil((z.to - z.from) / 10))
	for i := range n + 1 {
		out = append(out, lonLat(l.at(mix(z.from, z.to, float64(i)/float64(n)), z.right)))
	}
	for i := range n + 1 {
		out = append(out, lonLat(l.at(mix(z.to, z.from, float64(i)/float64(n)), z.left)))
	}
	out = append(out, out[0])
	if !hole {
		return out
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func lonLat(p pose) [2]float64 {
	lat, lon := geodetic(p.O)
	return [2]float64{math.Round(lon*1e7) / 1e7, math.Round(lat*1e7) / 1e7}
}

type feature struct {
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Properties map[string]string `json:"properties"`
	Geometry   polygon           `json:"geometry"`
}

type polygon struct {
	Type        string         `json:"type"`
	Coordinates [][][2]float64 `json:"coordinates"`
}

type schedule struct {
	Timezone string   `json:"timezone"`
	Weekdays []string `json:"weekdays,omitempty"`
	Hours    []string `json:"hours,omitempty"`
}

type task struct {
	ID             string   `json:"id"`
	Title          string   `json:"title"`
	Purpose        string   `json:"purpose"`
	LegalBasis     string   `json:"legal_basis"`
	Controller     string   `json:"controller"`
	Zones          []string `json:"zones"`
	Labels         []string `json:"labels"`
	Action         string   `json:"action"`
	MinScore       float64  `json:"min_score"`
	UncertainScore float64  `json:"uncertain_score"`
	EveryM         float64  `json:"every_m"`
	MaxSpeedKmh    float64  `json:"max_speed_kmh"`
	Schedule       schedule `json:"schedule"`
	Context        string   `json:"context"`
	Redact         []string `json:"redact"`
	DedupM         float64  `json:"dedup_m"`
	QuotaPerDay    int      `json:"quota_per_day"`
	ExpiresAfter   string   `json:"expires_after"`
}

type header struct {
	Version   int      `json:"version"`
	Fleet     string   `json:"fleet"`
	Vehicles  []string `json:"vehicles"`
	NotBefore string   `json:"not_before"`
	NotAfter  string   `json:"not_after"`
}

// orders returns the drive's unsigned orders.
func orders(l *line) ([]byte, error) {
	zone := func(id, name string, rings ...[][2]float64) feature {
		return feature{"Feature", id, map[string]string{"name": name}, polygon{"Polygon", rings}}
	}
	doc := struct {
		Type     string    `json:"type"`
		Gadeblik header    `json:"gadeblik"`
		Features []feature `json:"features"`
		Tasks    []task    `json:"tasks"`
	}{
		"FeatureCollection",
		header{1, "demo", []string{"*"}, "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"},
		[]feature{
			zone("school-street", "Street by the school, without the school yard", zoneOne().ring(l, false), schoolYard().ring(l, true)),
			zone("shop-street", "Shopping street", zoneTwo().ring(l, false)),
			zone("night-square", "Square, at night only", zoneThree().ring(l, false)),
		},
		tasks(),
	}
	b, err := json.MarshalIndent(doc, "", " ")
	return append(b, '\n'), err
}

// tasks says what is looked for, in the words of the built-in models: lorries and containers as evidence, cars as a
// number, bags of rubbish as a survey, and one task whose hours exclude the drive.
func tasks() []task {
	zones := []string{"school-street", "shop-street"}
	base := task{
		LegalBasis: "GDPR art. 6(1)(e)", Controller: "Example City", Zones: zones, MinScore: 0.45, UncertainScore: 0.3,
		EveryM: 1.5, MaxSpeedKmh: 25, Schedule: schedule{Timezone: "Europe/Copenhagen"}, Context: "coarse",
		Redact: []string{"person", "face", "plate"}, DedupM: 15, QuotaPerDay: 200, ExpiresAfter: "720h",
	}
	lorries, containers, cars, survey, night := base, base, base, base, base
	lorries.ID, lorries.Title, lorries.Action = "lorries", "Lorries standing in the street", "evidence"
	// A van is a truck to the model, which is surer of a lorry; of containers and bags it is less sure than of cars.
	lorries.MinScore, lorries.UncertainScore = 0.5, 0.35
	containers.MinScore, containers.UncertainScore = 0.35, 0.2
	survey.MinScore, survey.UncertainScore = 0.25, 0.15
	night.MinScore, night.UncertainScore = 0.25, 0.15
	lorries.Purpose, lorries.Labels = "Find lorries that block the sweeping", []string{"truck"}
	lorries.Schedule.Weekdays, lorries.Schedule.Hours = []string{"mon", "tue", "wed", "thu", "fri"}, []string{"06:00-18:00"}
	containers.ID, containers.Title, containers.Action = "containers", "Containers standing in the street", "evidence"
	containers.Purpose, containers.Labels = "Hold containers against the permits that were given", []string{"container"}
	cars.ID, cars.Title, cars.Action = "parked-cars", "Count parked cars", "count"
	cars.Purpose, cars.Labels, cars.DedupM = "Plan when which side of the street is swept", []string{"car"}, 5
	survey.ID, survey.Title, survey.Action = "survey", "Loose waste looked for", "survey"
	survey.Purpose, survey.Labels = "Document that the street was looked over for bags of rubbish", []string{"bag"}
	night.ID, night.Title, night.Action = "night-round", "Bags left on the square at night", "evidence"
	night.Purpose, night.Labels, night.Zones = "Clear bags of rubbish before the morning sweep", []string{"bag"}, []string{"night-square"}
	night.Schedule.Hours, night.Context = []string{"22:00-05:00"}, "crop"
	return []task{lorries, containers, cars, survey, night}
}
