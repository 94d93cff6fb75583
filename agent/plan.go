package agent

import (
	"errors"
	"fmt"
	"time"

	"gadeblik/gps/geofence"
	"gadeblik/uplink"
)

// Plan is a set of orders compiled for use: its zones are indexed, its tasks
// checked against the zones and the models. It never changes after NewPlan and
// may be read by any number of goroutines.
type Plan struct {
	Version             uint64
	Digest              string // sha256 of the orders, hexadecimal
	NotBefore, NotAfter time.Time
	Tasks               []Task

	zones  *geofence.Index
	byZone [][]int // numbers of the tasks of each zone
}

// maxTasks bounds one set of orders; a city's fleet needs dozens.
const maxTasks = 256

// NewPlan compiles orders for the models at hand. The error joins every mistake
// of the orders, each with its path, value and rule. With nil models the labels
// and model names are not checked, as on a desk without the vehicle's models.
func NewPlan(o *uplink.Orders, models *Models) (*Plan, error) {
	p := &Plan{Version: o.Version, Digest: o.Digest, NotBefore: o.NotBefore, NotAfter: o.NotAfter}
	zones, zoneErr := geofence.ParseZones(o.Payload)
	taskErr := p.parseTasks(o, models)
	if zoneErr == nil && len(zones) == 0 {
		zoneErr = errors.New("features: must hold at least one zone")
	}
	if err := errors.Join(zoneErr, taskErr); err != nil {
		return nil, err
	}
	var err error
	if p.zones, err = geofence.NewIndex(zones); err != nil {
		return nil, err
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	return p, nil
}

// Zones returns how many zones the plan has.
func (p *Plan) Zones() int { return p.zones.Len() }

// Zone returns zone number i.
func (p *Plan) Zone(i int) geofence.Zone { return p.zones.Zone(i) }

func (p *Plan) parseTasks(o *uplink.Orders, models *Models) error {
	if len(o.Tasks) == 0 {
		return errors.New("tasks: must hold at least one task")
	}
	if len(o.Tasks) > maxTasks {
		return fmt.Errorf("tasks: at most %d in one set of orders (got %d)", maxTasks, len(o.Tasks))
	}
	var errs []error
	for i, raw := range o.Tasks {
		t, err := parseTask(raw, i)
		if err == nil && models != nil {
			err = models.assign(&t, i)
		}
		errs = append(errs, err)
		p.Tasks = append(p.Tasks, t)
	}
	return errors.Join(errs...)
}

// resolve finds the zones that the tasks name.
func (p *Plan) resolve() error {
	number := map[string]int{}
	for i := range p.zones.Len() {
		number[p.zones.Zone(i).ID] = i
	}
	p.byZone = make([][]int, p.zones.Len())
	var errs []error
	for t, task := range p.Tasks {
		for i, id := range task.Zones {
			z, ok := number[id]
			if !ok {
				errs = append(errs, fmt.Errorf("tasks[%d].zones[%d]: no feature has the id %q", t, i, id))
				continue
			}
			p.byZone[z] = append(p.byZone[z], t)
		}
	}
	return errors.Join(errs...)
}
