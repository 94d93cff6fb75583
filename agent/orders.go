package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"gadeblik/uplink"
)

// loadOrders puts the last good orders in force. Without any, the gate stays
// closed with the reason no_orders.
func (a *Agent) loadOrders() {
	if a.cfg.Store == nil {
		return
	}
	orders, err := a.cfg.Store.Load()
	if err == nil && orders != nil {
		var plan *Plan
		if plan, err = NewPlan(orders, a.cfg.Models); err == nil {
			a.swap(plan)
			a.cfg.Log.Info("orders in force", "version", plan.Version, "tasks", len(plan.Tasks), "zones", plan.Zones())
			return
		}
	}
	if err != nil {
		a.cfg.Log.Error("no orders in force", "err", err)
	}
}

// Apply verifies signed orders, compiles them, keeps them and puts them in
// force, in this order: whatever fails leaves the last good ones in force. The
// report says what is in force now, or every mistake.
func (a *Agent) Apply(envelope []byte) uplink.OrdersReport {
	plan, err := a.apply(envelope)
	report := uplink.OrdersReport{Accepted: err == nil, Time: time.Now().UTC()}
	if plan == nil {
		plan = a.plan.Load()
	}
	if plan != nil {
		report.Version, report.Digest = plan.Version, plan.Digest
	}
	if err != nil {
		report.Errors = strings.Split(err.Error(), "\n")
		a.cfg.Log.Warn("orders refused", "err", err, "in_force", report.Version)
		return report
	}
	a.cfg.Log.Info("orders in force", "version", plan.Version, "tasks", len(plan.Tasks), "zones", plan.Zones())
	return report
}

// Offer applies signed orders that lie on the vehicle, as those it was installed
// with. Where newer ones are in force already, these are passed over.
func (a *Agent) Offer(envelope []byte) {
	orders, err := a.cfg.Verifier.Verify(envelope)
	if plan := a.plan.Load(); err == nil && plan != nil && orders.Version < plan.Version {
		a.cfg.Log.Info("installed orders passed over", "version", orders.Version, "in_force", plan.Version)
		return
	}
	a.Apply(envelope)
}

func (a *Agent) apply(envelope []byte) (*Plan, error) {
	if a.cfg.Store == nil {
		return nil, errors.New("apply orders: no trusted keys are configured (orders.trusted_keys)")
	}
	orders, err := a.cfg.Verifier.Verify(envelope)
	if err != nil {
		return nil, err
	}
	if now := a.plan.Load(); now != nil && now.Digest == orders.Digest {
		return now, nil
	}
	plan, err := NewPlan(orders, a.cfg.Models)
	if err != nil {
		return nil, fmt.Errorf("orders version %d: %w", orders.Version, err)
	}
	if _, err := a.cfg.Store.Accept(envelope); err != nil {
		return nil, err
	}
	a.swap(plan)
	return plan, nil
}

// swap puts a plan in force: the loop takes it at its next turn.
func (a *Agent) swap(plan *Plan) {
	a.plan.Store(plan)
	select {
	case a.planChanged <- struct{}{}:
	default: // the loop will load the newest anyway
	}
}

// runLink keeps a connection to the broker.
func (a *Agent) runLink(ctx context.Context) error {
	if a.cfg.Link == nil {
		return nil
	}
	cfg := *a.cfg.Link
	cfg.Fleet, cfg.Vehicle = a.cfg.Fleet, a.cfg.Vehicle
	cfg.Outbox = a.cfg.Outbox
	cfg.Status = a.Status
	cfg.StatusChanged = a.statusChanged
	cfg.OnOrders = a.Apply
	if a.cfg.Commands != nil {
		cfg.OnCommand = a.Command
	}
	cfg.Clock = a.certificateTime
	var link *uplink.Link
	cfg.MaySend = func() bool { return a.maySend(link.LocalAddr()) }
	link, err := uplink.NewLink(cfg)
	if err != nil {
		return err
	}
	a.link.Store(link)
	p := a.part("uplink", link.Run)
	p.most = brokerWait
	p.wake = a.hope
	var watch sync.WaitGroup
	defer watch.Wait()
	watch.Go(func() { a.watchNetwork(ctx) })
	return keep(ctx, p)
}

// tryAgain wakes the uplink.
func (a *Agent) tryAgain() {
	select {
	case a.hope <- struct{}{}:
	default: // it is awake already
	}
}

// watchNetwork wakes the uplink when a network comes up. Where that can't be
// watched the uplink waits out its pauses.
func (a *Agent) watchNetwork(ctx context.Context) {
	err := uplink.WatchNetwork(ctx, a.tryAgain)
	if err != nil {
		a.cfg.Log.Warn("networks are not watched: after one comes up the uplink may wait for up to a minute", "err", err)
	}
}
