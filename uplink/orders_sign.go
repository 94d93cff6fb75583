package uplink

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
)

const (
	maxOrders   = 4 << 20
	maxEnvelope = maxOrders/3*4 + 64<<10
)

// SignOrders checks the payload as [ParseOrders] does and wraps it in a DSSE
// envelope with one signature by each of the keys, which must differ.
func SignOrders(payload []byte, keys ...SigningKey) ([]byte, error) {
	if _, err := ParseOrders(payload); err != nil {
		return nil, fmt.Errorf("sign orders: %w", err)
	}
	envelope, err := signEnvelope(OrdersPayloadType, payload, keys...)
	if err != nil {
		return nil, fmt.Errorf("sign orders: %w", err)
	}
	return envelope, nil
}

// Verifier says whose orders count and for whom they must be.
type Verifier struct {
	Keys      []PublicKey // the trusted keys; the same key twice counts once
	Threshold int         // how many of them must have signed; 0 means 1
	Fleet     string
	Vehicle   string
}

// Check reports what is wrong with the verifier itself: an empty name or key, or
// a threshold that the keys cannot reach.
func (v Verifier) Check() error {
	var errs []error
	if v.Fleet == "" || v.Vehicle == "" {
		errs = append(errs, fmt.Errorf("verify orders: fleet and vehicle must be known (got %q, %q)", v.Fleet, v.Vehicle))
	}
	for i, k := range v.Keys {
		if len(k.key) != ed25519.PublicKeySize {
			errs = append(errs, fmt.Errorf("verify orders: trusted key %d is empty", i+1))
		}
	}
	if n := len(distinctKeys(v.Keys)); v.Threshold < 0 || v.threshold() > n {
		errs = append(errs, fmt.Errorf("verify orders: %d different keys are trusted, so the threshold must be 1 to %d (got %d)", n, n, v.Threshold))
	}
	return errors.Join(errs...)
}

func (v Verifier) threshold() int { return max(1, v.Threshold) }

// Verify returns the orders in a DSSE envelope if enough trusted keys have signed
// them and they are meant for this fleet and vehicle. Nothing of the payload is
// read before its signatures have been verified. Whether the orders are in force
// at the present moment is not checked: that takes a trusted clock.
func (v Verifier) Verify(envelope []byte) (*Orders, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	e, payload, err := openEnvelope(envelope, OrdersPayloadType, maxEnvelope)
	if err != nil {
		return nil, fmt.Errorf("verify orders: %w", err)
	}
	if err := checkSignatures(e, v.Keys, v.threshold()); err != nil {
		return nil, fmt.Errorf("verify orders: %w", err)
	}
	o, err := ParseOrders(payload)
	if err != nil {
		return nil, err
	}
	if o.Fleet != v.Fleet {
		return nil, fmt.Errorf("verify orders: version %d is for fleet %q, this vehicle belongs to %q", o.Version, o.Fleet, v.Fleet)
	}
	if !o.names(v.Vehicle) {
		return nil, fmt.Errorf("verify orders: version %d does not name vehicle %q (it names %s)", o.Version, v.Vehicle, short(strings.Join(o.Vehicles, ", ")))
	}
	return o, nil
}

// UnverifiedPayload returns what is in a DSSE envelope of orders without looking
// at its signatures, and whether raw is such an envelope at all. It is for tools
// that show or replay orders; a vehicle uses [Verifier.Verify].
func UnverifiedPayload(raw []byte) (payload []byte, ok bool) {
	_, payload, err := openEnvelope(raw, OrdersPayloadType, maxEnvelope)
	return payload, err == nil
}
