package main

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/gps/geofence"
)

// whenToSend returns what mqtt.when asks for; both are nil for always.
func whenToSend(m config.MQTT) (unmetered func(netip.Addr) bool, depot *geofence.Index, err error) {
	switch m.When {
	case config.Unmetered:
		i := interfaces{names: m.Unmetered, addresses: addressesOf}
		return i.have, nil, nil
	case config.Depot:
		depot, err = readDepot(m.DepotFile)
	}
	return nil, depot, err
}

func readDepot(path string) (*geofence.Index, error) {
	raw, err := readFile(path, "area of the depot")
	if err != nil {
		return nil, fmt.Errorf("mqtt.depot_file: %w", err)
	}
	zones, err := geofence.ParseZones(raw)
	if err != nil {
		return nil, fmt.Errorf("mqtt.depot_file: %s: %w", path, err)
	}
	if len(zones) == 0 {
		return nil, fmt.Errorf("mqtt.depot_file: %s has no features; draw the depot as a polygon", path)
	}
	index, err := geofence.NewIndex(zones)
	if err != nil {
		return nil, fmt.Errorf("mqtt.depot_file: %s: %w", path, err)
	}
	return index, nil
}

// askAgainAfter is how old what is known of the interfaces may be: the uplink
// asks many times a second.
const askAgainAfter = time.Second

// interfaces knows which addresses belong to interfaces that cost nothing.
type interfaces struct {
	names     []string
	addresses func(name string) ([]netip.Addr, error)

	mu    sync.Mutex // one question at a time: the answer is kept for the next
	known map[netip.Addr]bool
	asked time.Time
}

// have tells whether an address belongs to one of the interfaces. One that is not
// there, or can't be asked, has none.
func (i *interfaces) have(a netip.Addr) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known == nil || time.Since(i.asked) > askAgainAfter {
		i.known, i.asked = map[netip.Addr]bool{}, time.Now()
		for _, name := range i.names {
			found, err := i.addresses(name)
			if err != nil {
				continue // not plugged in, or not up: it carries no connection
			}
			for _, f := range found {
				i.known[f] = true
			}
		}
	}
	return i.known[a.WithZone("")]
}

func addressesOf(name string) ([]netip.Addr, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	networks, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	var all []netip.Addr
	for _, n := range networks {
		if p, err := netip.ParsePrefix(n.String()); err == nil {
			all = append(all, p.Addr().Unmap())
		}
	}
	return all, nil
}
