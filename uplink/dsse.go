package uplink

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// OrdersPayloadType is the DSSE payload type of orders. It is part of what is
// signed, so nothing else signed with the same key passes for orders.
const OrdersPayloadType = "application/vnd.gadeblik.orders+geo+json"

const (
	maxOrders     = 4 << 20
	maxSignatures = 16
	maxEnvelope   = maxOrders/3*4 + 64<<10
)

// SignOrders checks the payload as [ParseOrders] does and wraps it in a DSSE
// envelope with one signature by each of the keys, which must differ.
func SignOrders(payload []byte, keys ...SigningKey) ([]byte, error) {
	if _, err := ParseOrders(payload); err != nil {
		return nil, fmt.Errorf("sign orders: %w", err)
	}
	if len(keys) == 0 || len(keys) > maxSignatures {
		return nil, fmt.Errorf("sign orders: must be signed with 1 to %d keys (got %d)", maxSignatures, len(keys))
	}
	var signers []dsse.Signer
	seen := map[string]bool{}
	for i, k := range keys {
		if len(k.key) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("sign orders: key %d is empty", i+1)
		}
		if seen[string(k.key)] {
			return nil, fmt.Errorf("sign orders: key %s is given twice", k.Public().ID())
		}
		seen[string(k.key)] = true
		signers = append(signers, dsseSigner(k))
	}
	signer, err := dsse.NewEnvelopeSigner(signers...)
	if err != nil {
		return nil, fmt.Errorf("sign orders: %w", err)
	}
	envelope, err := signer.SignPayload(context.Background(), OrdersPayloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("sign orders: %w", err)
	}
	return json.Marshal(envelope)
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
	if n := len(v.distinct()); v.Threshold < 0 || v.threshold() > n {
		errs = append(errs, fmt.Errorf("verify orders: %d different keys are trusted, so the threshold must be 1 to %d (got %d)", n, n, v.Threshold))
	}
	return errors.Join(errs...)
}

func (v Verifier) threshold() int { return max(1, v.Threshold) }

func (v Verifier) distinct() []PublicKey {
	var keys []PublicKey
	seen := map[string]bool{}
	for _, k := range v.Keys {
		if !seen[string(k.key)] {
			keys = append(keys, k)
		}
		seen[string(k.key)] = true
	}
	return keys
}

// Verify returns the orders in a DSSE envelope if enough trusted keys have signed
// them and they are meant for this fleet and vehicle. Nothing of the payload is
// read before its signatures have been verified. Whether the orders are in force
// at the present moment is not checked: that takes a trusted clock.
func (v Verifier) Verify(envelope []byte) (*Orders, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	e, payload, err := openEnvelope(envelope)
	if err != nil {
		return nil, fmt.Errorf("verify orders: %w", err)
	}
	if err := v.signatures(e); err != nil {
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

// signatures asks the library whether enough different trusted keys have signed.
func (v Verifier) signatures(e *dsse.Envelope) error {
	var trusted []dsse.Verifier
	for _, k := range v.distinct() {
		trusted = append(trusted, dsseVerifier(k))
	}
	library, err := dsse.NewMultiEnvelopeVerifier(v.threshold(), trusted...)
	if err != nil {
		return err
	}
	accepted, err := library.Verify(context.Background(), e)
	// The library counts keys by their id. Keys are what is trusted here, so
	// they are counted again by their value.
	by := map[string]bool{}
	for _, a := range accepted {
		if k, ok := a.Public.(ed25519.PublicKey); ok {
			by[string(k)] = true
		}
	}
	if err != nil || len(by) < v.threshold() {
		return fmt.Errorf("signed by %d of the trusted keys, %d needed (trusted: %s)", len(by), v.threshold(), v.ids())
	}
	return nil
}

func (v Verifier) ids() string {
	var ids []string
	for _, k := range v.distinct() {
		ids = append(ids, k.ID())
	}
	return strings.Join(ids, ", ")
}

// openEnvelope reads the envelope's JSON, strictly: members by their exact names,
// one payload type, proper base64, signatures of the right length. Members the
// DSSE specification does not name are ignored, as it demands.
//
// Key ids are dropped: they are hints that anybody may have written, other tools
// form them in other ways, and the library skips a good signature whose hint it
// does not know. All trusted keys are tried instead; there are few.
func openEnvelope(raw []byte) (*dsse.Envelope, []byte, error) {
	if len(raw) > maxEnvelope {
		return nil, nil, fmt.Errorf("the envelope has %d bytes, at most %d are allowed", len(raw), maxEnvelope)
	}
	root, err := parseJSON(raw, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("the envelope is not proper JSON: %w", err)
	}
	text := func(v *jsonValue) string {
		if v == nil || v.kind != '"' {
			return ""
		}
		return unquote(string(raw[v.start:v.end]))
	}
	payloadType, signatures := text(root.member("payloadType")), root.member("signatures")
	switch {
	case root.member("features") != nil:
		return nil, nil, errors.New("the orders are not signed; sign them with: gadeblik orders sign")
	case payloadType != OrdersPayloadType:
		return nil, nil, fmt.Errorf("the envelope's payloadType is %q, want %q", short(payloadType), OrdersPayloadType)
	case signatures == nil || signatures.kind != '[' || len(signatures.kids) == 0 || len(signatures.kids) > maxSignatures:
		return nil, nil, fmt.Errorf("the envelope must have 1 to %d signatures", maxSignatures)
	}
	payload, err := strictBase64(text(root.member("payload")))
	if err != nil || len(payload) == 0 {
		return nil, nil, errors.New("the envelope's payload is not base64")
	}
	e := &dsse.Envelope{PayloadType: payloadType, Payload: base64.StdEncoding.EncodeToString(payload)}
	for i := range signatures.kids {
		sig, err := strictBase64(text(signatures.kids[i].member("sig")))
		if err != nil || len(sig) != ed25519.SignatureSize {
			return nil, nil, fmt.Errorf("the envelope's signatures[%d].sig is not the base64 of %d bytes", i, ed25519.SignatureSize)
		}
		e.Signatures = append(e.Signatures, dsse.Signature{Sig: base64.StdEncoding.EncodeToString(sig)})
	}
	return e, payload, nil
}

// strictBase64 decodes either alphabet, as DSSE allows, but one text for one
// value: no line breaks and no stray bits.
func strictBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("has line breaks")
	}
	if strings.ContainsAny(s, "-_") {
		return base64.URLEncoding.Strict().DecodeString(s)
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

type dsseSigner SigningKey

func (s dsseSigner) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(s.key, data), nil
}

func (s dsseSigner) KeyID() (string, error) { return SigningKey(s).Public().ID(), nil }

type dsseVerifier PublicKey

func (v dsseVerifier) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(v.key, data, sig) {
		return errors.New("wrong signature")
	}
	return nil
}

func (v dsseVerifier) KeyID() (string, error)   { return PublicKey(v).ID(), nil }
func (v dsseVerifier) Public() crypto.PublicKey { return v.key }

// UnverifiedPayload returns what is in a DSSE envelope of orders without looking
// at its signatures, and whether raw is such an envelope at all. It is for tools
// that show or replay orders; a vehicle uses [Verifier.Verify].
func UnverifiedPayload(raw []byte) (payload []byte, ok bool) {
	_, payload, err := openEnvelope(raw)
	return payload, err == nil
}
