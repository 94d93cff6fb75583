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

// The DSSE payload types. The type is part of what is signed, so that nothing
// signed as one of them passes for another.
const (
	OrdersPayloadType      = "application/vnd.gadeblik.orders+geo+json"
	ObservationPayloadType = "application/vnd.gadeblik.observation+json"
	CommandPayloadType     = "application/vnd.gadeblik.command+json"
)

const maxSignatures = 16

// envelopeLimit is how long an envelope may be around a payload of this length.
func envelopeLimit(payload int) int { return payload/3*4 + 64<<10 }

// signEnvelope wraps a payload in a DSSE envelope with one signature by each of
// the keys, which must differ.
func signEnvelope(payloadType string, payload []byte, keys ...SigningKey) ([]byte, error) {
	if len(keys) == 0 || len(keys) > maxSignatures {
		return nil, fmt.Errorf("must be signed with 1 to %d keys (got %d)", maxSignatures, len(keys))
	}
	var signers []dsse.Signer
	seen := map[string]bool{}
	for i, k := range keys {
		if len(k.key) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("key %d is empty", i+1)
		}
		if seen[string(k.key)] {
			return nil, fmt.Errorf("key %s is given twice", k.Public().ID())
		}
		seen[string(k.key)] = true
		signers = append(signers, dsseSigner(k))
	}
	signer, err := dsse.NewEnvelopeSigner(signers...)
	if err != nil {
		return nil, err
	}
	envelope, err := signer.SignPayload(context.Background(), payloadType, payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope)
}

// distinctKeys returns the keys without repetitions.
func distinctKeys(keys []PublicKey) []PublicKey {
	var out []PublicKey
	seen := map[string]bool{}
	for _, k := range keys {
		if !seen[string(k.key)] {
			out = append(out, k)
		}
		seen[string(k.key)] = true
	}
	return out
}

func keyIDs(keys []PublicKey) string {
	var ids []string
	for _, k := range keys {
		ids = append(ids, k.ID())
	}
	return strings.Join(ids, ", ")
}

// checkSignatures asks the library whether enough different trusted keys have
// signed.
func checkSignatures(e *dsse.Envelope, keys []PublicKey, threshold int) error {
	keys = distinctKeys(keys)
	var trusted []dsse.Verifier
	for _, k := range keys {
		trusted = append(trusted, dsseVerifier(k))
	}
	library, err := dsse.NewMultiEnvelopeVerifier(threshold, trusted...)
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
	if err != nil || len(by) < threshold {
		return fmt.Errorf("signed by %d of the trusted keys, %d needed (trusted: %s)", len(by), threshold, keyIDs(keys))
	}
	return nil
}

// openEnvelope reads the envelope's JSON, strictly: members by their exact names,
// one payload type, proper base64, signatures of the right length. Members the
// DSSE specification does not name are ignored, as it demands.
//
// Key ids are dropped: they are hints that anybody may have written, other tools
// form them in other ways, and the library skips a good signature whose hint it
// does not know. All trusted keys are tried instead; there are few.
func openEnvelope(raw []byte, want string, limit int) (*dsse.Envelope, []byte, error) {
	if len(raw) > limit {
		return nil, nil, fmt.Errorf("the envelope has %d bytes, at most %d are allowed", len(raw), limit)
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
	case want == OrdersPayloadType && root.member("features") != nil:
		return nil, nil, errors.New("the orders are not signed; sign them with: gadeblik orders sign")
	case payloadType != want:
		return nil, nil, fmt.Errorf("the envelope's payloadType is %q, want %q", short(payloadType), want)
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
