package uplink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

func signed(t testing.TB, payload []byte, keys ...SigningKey) []byte {
	t.Helper()
	envelope, err := SignOrders(payload, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// edited returns the envelope after edit.
func edited(t testing.TB, envelope []byte, edit func(*dsse.Envelope)) []byte {
	t.Helper()
	var e dsse.Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatal(err)
	}
	edit(&e)
	out, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func verifierOf(keys ...SigningKey) Verifier {
	v := Verifier{Fleet: "cph", Vehicle: "v1"}
	for _, k := range keys {
		v.Keys = append(v.Keys, k.Public())
	}
	return v
}

func TestVerify(t *testing.T) {
	a, b, c := seededKey('a'), seededKey('b'), seededKey('c')
	star := bytes.Replace(goodOrders(), []byte(`["v1","v2"]`), []byte(`["*"]`), 1)
	two := verifierOf(a, b, c)
	two.Threshold = 2
	noHints := func(e *dsse.Envelope) {
		for i := range e.Signatures {
			e.Signatures[i].KeyID = ""
		}
	}
	for _, tt := range []struct {
		name     string
		v        Verifier
		envelope []byte
	}{
		{"one key", verifierOf(a), signed(t, goodOrders(), a)},
		{"one of several", verifierOf(a, b, c), signed(t, goodOrders(), c)},
		{"all vehicles", verifierOf(a), signed(t, star, a)},
		{"two of three", two, signed(t, goodOrders(), c, a)},
		{"two of three and a stranger", two, signed(t, goodOrders(), seededKey('x'), c, a)},
		{"no key ids", two, edited(t, signed(t, goodOrders(), c, a), noHints)},
		{"key ids of another tool", two, edited(t, signed(t, goodOrders(), c, a), func(e *dsse.Envelope) {
			e.Signatures[0].KeyID, e.Signatures[1].KeyID = "SHA256:one", "SHA256:two"
		})},
		{"foreign members", verifierOf(a), bytes.Replace(signed(t, goodOrders(), a), []byte(`{"payloadType"`), []byte(`{"note":1,"payloadType"`), 1)},
		{"URL alphabet", verifierOf(a), edited(t, signed(t, goodOrders(), a), func(e *dsse.Envelope) {
			e.Payload = strings.NewReplacer("+", "-", "/", "_").Replace(e.Payload)
			e.Signatures[0].Sig = strings.NewReplacer("+", "-", "/", "_").Replace(e.Signatures[0].Sig)
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := tt.v.Verify(tt.envelope)
			if err != nil || o.Version != 5 || !bytes.HasPrefix(o.Payload, []byte(`{"type":"FeatureCollection"`)) {
				t.Errorf("orders %+v: %v", o, err)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	a, b := seededKey('a'), seededKey('b')
	good := signed(t, goodOrders(), a)
	ids := a.Public().ID() + ", " + b.Public().ID()
	two := verifierOf(a, b)
	two.Threshold = 2
	twice := verifierOf(a, b, a)
	twice.Threshold = 2
	other := func(fleet, vehicle string) Verifier {
		v := verifierOf(a)
		v.Fleet, v.Vehicle = fleet, vehicle
		return v
	}
	tampered := func(e *dsse.Envelope) {
		p, _ := base64.StdEncoding.DecodeString(e.Payload)
		e.Payload = base64.StdEncoding.EncodeToString(bytes.Replace(p, []byte(`"cph"`), []byte(`"cpH"`), 1))
	}
	for _, tt := range []struct {
		name     string
		v        Verifier
		envelope []byte
		want     string
	}{
		{"wrong key", verifierOf(b), good, "signed by 0 of the trusted keys, 1 needed (trusted: " + b.Public().ID() + ")"},
		{"wrong key under the right id", verifierOf(b), edited(t, good, func(e *dsse.Envelope) { e.Signatures[0].KeyID = b.Public().ID() }),
			"signed by 0 of the trusted keys, 1 needed (trusted: " + b.Public().ID() + ")"},
		{"tampered payload", verifierOf(a), edited(t, good, tampered), "signed by 0 of the trusted keys, 1 needed (trusted: " + a.Public().ID() + ")"},
		{"wrong payload type", verifierOf(a), edited(t, good, func(e *dsse.Envelope) { e.PayloadType = "application/vnd.in-toto+json" }),
			`the envelope's payloadType is "application/vnd.in-toto+json", want "application/vnd.gadeblik.orders+geo+json"`},
		{"signed as another type", verifierOf(a), signedAs(t, "application/vnd.gadeblik.command+json", OrdersPayloadType, a),
			"signed by 0 of the trusted keys, 1 needed (trusted: " + a.Public().ID() + ")"},
		{"one of two", two, good, "signed by 1 of the trusted keys, 2 needed (trusted: " + ids + ")"},
		{"one key signed twice", two, edited(t, good, func(e *dsse.Envelope) { e.Signatures = append(e.Signatures, e.Signatures[0]) }),
			"signed by 1 of the trusted keys, 2 needed (trusted: " + ids + ")"},
		{"one key signed twice under two ids", two, edited(t, good, func(e *dsse.Envelope) {
			e.Signatures = append(e.Signatures, dsse.Signature{KeyID: b.Public().ID(), Sig: e.Signatures[0].Sig})
		}), "signed by 1 of the trusted keys, 2 needed (trusted: " + ids + ")"},
		{"one key trusted twice", twice, edited(t, good, func(e *dsse.Envelope) { e.Signatures = append(e.Signatures, e.Signatures[0]) }),
			"signed by 1 of the trusted keys, 2 needed (trusted: " + ids + ")"},
		{"other fleet", other("aarhus", "v1"), good, `version 5 is for fleet "cph", this vehicle belongs to "aarhus"`},
		{"other vehicle", other("cph", "v9"), good, `version 5 does not name vehicle "v9" (it names v1, v2)`},
		{"not signed", verifierOf(a), goodOrders(), "the orders are not signed; sign them with: gadeblik orders sign"},
		{"no signatures", verifierOf(a), edited(t, good, func(e *dsse.Envelope) { e.Signatures = nil }), "the envelope must have 1 to 16 signatures"},
		{"too many signatures", verifierOf(a), edited(t, good, func(e *dsse.Envelope) {
			for range 16 {
				e.Signatures = append(e.Signatures, e.Signatures[0])
			}
		}), "the envelope must have 1 to 16 signatures"},
		{"short signature", verifierOf(a), edited(t, good, func(e *dsse.Envelope) { e.Signatures[0].Sig = "AAAA" }),
			"the envelope's signatures[0].sig is not the base64 of 64 bytes"},
		{"line breaks", verifierOf(a), edited(t, good, func(e *dsse.Envelope) { e.Payload = e.Payload[:8] + "\r\n" + e.Payload[8:] }),
			"the envelope's payload is not base64"},
		{"no payload", verifierOf(a), edited(t, good, func(e *dsse.Envelope) { e.Payload = "" }), "the envelope's payload is not base64"},
		{"two payloads", verifierOf(a), bytes.Replace(good, []byte(`{"payloadType"`), []byte(`{"payload":"e30=","payloadType"`), 1),
			"the envelope is not proper JSON: payload: appears twice"},
		{"payload in other case", verifierOf(a), bytes.Replace(good, []byte(`"payload":`), []byte(`"Payload":`), 1), "the envelope's payload is not base64"},
		{"empty", verifierOf(a), nil, "the envelope is not proper JSON: the document is empty"},
		{"truncated", verifierOf(a), good[:200], "the envelope is not proper JSON: line 1, column 200: unexpected end of JSON input"},
		{"garbage", verifierOf(a), []byte("\x89PNG"), "the envelope is not proper JSON: the document is not UTF-8 text"},
		{"a list", verifierOf(a), []byte("[]"), `the envelope's payloadType is "", want "application/vnd.gadeblik.orders+geo+json"`},
		{"large", verifierOf(a), make([]byte, maxEnvelope+1), fmt.Sprintf("the envelope has %d bytes, at most %d are allowed", maxEnvelope+1, maxEnvelope)},

		{"no keys", verifierOf(), good, "0 different keys are trusted, so the threshold must be 1 to 0 (got 0)"},
		{"threshold out of reach", Verifier{Keys: []PublicKey{a.Public(), a.Public()}, Threshold: 2, Fleet: "cph", Vehicle: "v1"}, good,
			"1 different keys are trusted, so the threshold must be 1 to 1 (got 2)"},
		{"threshold negative", Verifier{Keys: []PublicKey{a.Public()}, Threshold: -1, Fleet: "cph", Vehicle: "v1"}, good,
			"1 different keys are trusted, so the threshold must be 1 to 1 (got -1)"},
		{"empty key", Verifier{Keys: []PublicKey{{}}, Fleet: "cph", Vehicle: "v1"}, good, "trusted key 1 is empty"},
		{"nobody", other("", ""), good, `fleet and vehicle must be known (got "", "")`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := tt.v.Verify(tt.envelope)
			if want := "verify orders: " + tt.want; err == nil || err.Error() != want || o != nil {
				t.Errorf("orders %v\ngot  %v\nwant %s", o, err, want)
			}
		})
	}
}

// signedAs signs good orders under one payload type and labels them with another.
func signedAs(t *testing.T, signedType, labelled string, k SigningKey) []byte {
	t.Helper()
	s, err := dsse.NewEnvelopeSigner(dsseSigner(k))
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.SignPayload(context.Background(), signedType, goodOrders())
	if err != nil {
		t.Fatal(err)
	}
	e.PayloadType = labelled
	out, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVerifyReadsNothingUnsigned(t *testing.T) {
	// A payload with a mistake, signed by a stranger: the complaint is about
	// the signature, so the payload has not been looked at.
	a, x := seededKey('a'), seededKey('x')
	e := edited(t, signed(t, goodOrders(), x), func(e *dsse.Envelope) {
		payload := []byte(`{"broken`)
		sig := ed25519.Sign(x.key, dsse.PAE(OrdersPayloadType, payload))
		e.Payload, e.Signatures[0].Sig = base64.StdEncoding.EncodeToString(payload), base64.StdEncoding.EncodeToString(sig)
	})
	if _, err := verifierOf(a).Verify(e); err == nil || !strings.Contains(err.Error(), "signed by 0") {
		t.Errorf("stranger: %v", err)
	}
	if _, err := verifierOf(x).Verify(e); err == nil || err.Error() != "line 1, column 8: unexpected end of JSON input" {
		t.Errorf("trusted: %v", err)
	}
}

func TestSignOrdersRefuses(t *testing.T) {
	a := seededKey('a')
	many := make([]SigningKey, maxSignatures+1)
	for _, tt := range []struct {
		name    string
		payload []byte
		keys    []SigningKey
		want    string
	}{
		{"wrong orders", []byte("{}"), []SigningKey{a}, "sign orders: type: is missing\ngadeblik: is missing\nfeatures: is missing\ntasks: is missing"},
		{"no key", goodOrders(), nil, "sign orders: must be signed with 1 to 16 keys (got 0)"},
		{"many keys", goodOrders(), many, "sign orders: must be signed with 1 to 16 keys (got 17)"},
		{"empty key", goodOrders(), []SigningKey{{}}, "sign orders: key 1 is empty"},
		{"same key", goodOrders(), []SigningKey{a, a}, "sign orders: key " + a.Public().ID() + " is given twice"},
	} {
		if e, err := SignOrders(tt.payload, tt.keys...); err == nil || err.Error() != tt.want || e != nil {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestSignOrdersIsDSSE(t *testing.T) {
	k := seededKey('a')
	var e dsse.Envelope
	if err := json.Unmarshal(signed(t, goodOrders(), k), &e); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(e.Payload)
	if err != nil || !bytes.Equal(payload, goodOrders()) {
		t.Errorf("payload differs: %v", err)
	}
	sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	pae := fmt.Appendf(nil, "DSSEv1 40 application/vnd.gadeblik.orders+geo+json %d %s", len(payload), payload)
	if err != nil || !ed25519.Verify(k.Public().key, pae, sig) {
		t.Errorf("the signature is not over the DSSE encoding (%v)", err)
	}
	if e.Signatures[0].KeyID != k.Public().ID() {
		t.Errorf("key id %s, want %s", e.Signatures[0].KeyID, k.Public().ID())
	}
}

func FuzzVerify(f *testing.F) {
	a, b := seededKey('a'), seededKey('b')
	v := verifierOf(a, b)
	v.Threshold = 2
	good := signed(f, goodOrders(), a, b)
	f.Add(good)
	f.Add(signed(f, goodOrders(), a))
	f.Add([]byte(`{"payloadType":"` + OrdersPayloadType + `","payload":"e30=","signatures":[{"sig":""}]}`))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		o, err := v.Verify(envelope)
		if err == nil && !bytes.Equal(o.Payload, goodOrders()) {
			t.Fatalf("took a payload that nobody has signed: %s", o.Payload)
		}
		if err != nil && o != nil {
			t.Fatal("orders beside an error")
		}
	})
}

func TestUnverifiedPayload(t *testing.T) {
	stranger := signed(t, goodOrders(), seededKey('x'))
	if payload, ok := UnverifiedPayload(stranger); !ok || !bytes.Equal(payload, goodOrders()) {
		t.Errorf("payload %q, %v", payload, ok)
	}
	for name, raw := range map[string][]byte{"orders": goodOrders(), "garbage": []byte("x"), "empty": nil} {
		if payload, ok := UnverifiedPayload(raw); ok || payload != nil {
			t.Errorf("%s: payload %q, want none", name, payload)
		}
	}
}
