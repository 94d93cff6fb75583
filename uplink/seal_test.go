package uplink

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// testKey is the signing key of the tests' vehicles, the same throughout a run.
var testKey = sync.OnceValue(func() SigningKey {
	k, err := NewKey()
	if err != nil {
		panic(err)
	}
	return k
})

// testIdentity is an age key, the same throughout a run for each name.
func testIdentity(t testing.TB, name string) *age.X25519Identity {
	t.Helper()
	identities.Lock()
	defer identities.Unlock()
	if identities.by[name] == nil {
		i, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		identities.by[name] = i
	}
	return identities.by[name]
}

var identities = struct {
	sync.Mutex
	by map[string]*age.X25519Identity
}{by: map[string]*age.X25519Identity{}}

// openSealer seals to the vehicle's own key, so that what is sent is open.
func openSealer(t testing.TB) *Sealer {
	t.Helper()
	own := testIdentity(t, "vehicle")
	return newTestSealer(t, SealConfig{Own: own, OwnRecipient: own.Recipient()})
}

// officeSealer seals to the office.
func officeSealer(t testing.TB) *Sealer {
	t.Helper()
	return newTestSealer(t, SealConfig{Recipients: []age.Recipient{testIdentity(t, "office").Recipient()}})
}

func newTestSealer(t testing.TB, c SealConfig) *Sealer {
	t.Helper()
	if len(c.Signer.key) == 0 {
		c.Signer = testKey()
	}
	s, err := NewSealer(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openerFor opens what the office can, and knows the sealer's vehicle whatever its name.
func openerFor(s *Sealer, ids ...age.Identity) Opener {
	return Opener{Identities: ids, Keys: func(string, string) ([]PublicKey, error) { return []PublicKey{s.Public()}, nil }}
}

func TestSealedForTheOfficeOnly(t *testing.T) {
	o, e := withEvidence(t, someFinding(1))
	own := testIdentity(t, "vehicle")
	s := newTestSealer(t, SealConfig{
		Recipients: []age.Recipient{testIdentity(t, "office").Recipient(), testIdentity(t, "archive").Recipient()},
		Own:        own, OwnRecipient: own.Recipient(),
	})
	p, err := s.seal(o, e.JPEG())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"office", "archive"} {
		office := openerFor(s, testIdentity(t, name))
		got, signed, err := office.observation("cph", o.Vehicle, p.observation)
		if err != nil || !cmp.Equal(got, o.canonical()) || sha256.Sum256(signed) != p.digest {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if picture, err := office.open(p.evidence, maxEvidence); err != nil || !bytes.Equal(picture, e.JPEG()) {
			t.Errorf("%s: the picture has changed (%v)", name, err)
		}
	}
	for what, sealed := range map[string][]byte{"observation": p.observation, "evidence": p.evidence} {
		if _, err := openerFor(s, own).open(sealed, maxEvidence); err == nil || err.Error() != "it is sealed to somebody else: none of the keys here opens it" {
			t.Errorf("%s: the vehicle opens it: %v", what, err)
		}
		if _, err := s.outgoing(sealed, maxEvidence); err == nil {
			t.Errorf("%s: the vehicle opens it", what)
		}
	}
	// Nothing of the content, of the id or of the task shows.
	seen := fmt.Sprintf("%s%s%s%s", p.observation, p.evidence, p.id, s.taskName(o.Task))
	for _, secret := range []string{"\xFF\xD8\xFF", "JFIF", "Exif", o.ID, o.Task, o.Zone, o.Purpose, o.Vehicle, "payloadType", base64.StdEncoding.EncodeToString([]byte(`{"id":"`))} {
		if strings.Contains(seen, secret) {
			t.Errorf("%q can be read", secret)
		}
	}
}

func TestSealedToItselfIsSentOpen(t *testing.T) {
	o, e := withEvidence(t, someFinding(1))
	s := openSealer(t)
	p, err := s.seal(o, e.JPEG())
	if err != nil || !p.own || !isSealed(p.observation) || !isSealed(p.evidence) {
		t.Fatalf("got %+v, %v", p, err)
	}
	data, err := s.outgoing(p.observation, maxSignedObservation)
	if err != nil || sha256.Sum256(data) != p.digest {
		t.Fatalf("got %s, %v", data, err)
	}
	if got, _, err := openerFor(s).observation("cph", o.Vehicle, data); err != nil || !cmp.Equal(got, o.canonical()) {
		t.Errorf("got %+v, %v", got, err)
	}
	strict := openerFor(s)
	strict.SealedOnly = true
	if _, _, err := strict.observation("cph", o.Vehicle, data); err == nil || err.Error() != "observation: it is not sealed" {
		t.Errorf("got %v", err)
	}
	// Recipients that are named later get what has waited.
	own := testIdentity(t, "vehicle")
	later := newTestSealer(t, SealConfig{Recipients: []age.Recipient{testIdentity(t, "office").Recipient()}, Own: own, OwnRecipient: own.Recipient()})
	data, err = later.outgoing(p.evidence, maxEvidence)
	if err != nil {
		t.Fatal(err)
	}
	if picture, err := openerFor(s, testIdentity(t, "office")).open(data, maxEvidence); err != nil || !isSealed(data) || !bytes.Equal(picture, e.JPEG()) {
		t.Errorf("got %v", err)
	}
}

func TestOpenerRefuses(t *testing.T) {
	o := someFinding(1)
	s := officeSealer(t)
	p, err := s.seal(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	office := openerFor(s, testIdentity(t, "office"))
	stranger, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	forged, err := newTestSealer(t, SealConfig{Signer: stranger, Recipients: s.recipients}).seal(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(p.observation)
	flipped[len(flipped)-3] ^= 1
	unknown := office
	unknown.Keys = func(string, string) ([]PublicKey, error) { return nil, nil }
	orders, err := encrypt(signed(t, goodOrders(), testKey()), s.recipients)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		opener  Opener
		vehicle string
		payload []byte
		want    string
	}{
		{"another's key", office, o.Vehicle, forged.observation, "verify observation: signed by 0 of the trusted keys, 1 needed (trusted: " + s.Public().ID() + ")"},
		{"another vehicle", office, "sweeper-8", p.observation, "verify observation: its topic says vehicle sweeper-8, it says " + o.Vehicle},
		{"a flipped bit", office, o.Vehicle, flipped, "observation: it can't be opened: "},
		{"cut", office, o.Vehicle, p.observation[:len(p.observation)-9], "observation: it can't be opened: "},
		{"no key", openerFor(s), o.Vehicle, p.observation, "observation: it is sealed, and no key is here to open it"},
		{"wrong key", openerFor(s, testIdentity(t, "vehicle")), o.Vehicle, p.observation, "observation: it is sealed to somebody else: none of the keys here opens it"},
		{"orders", office, o.Vehicle, orders, `verify observation: the envelope's payloadType is "application/vnd.gadeblik.orders+geo+json", want "application/vnd.gadeblik.observation+json"`},
		{"unknown vehicle", unknown, o.Vehicle, p.observation, "vehicle is not known here: there is no key for vehicle " + o.Vehicle + " of fleet cph"},
		{"bare", office, o.Vehicle, mustJSON(t, o), `verify observation: the envelope's payloadType is "", want`},
		{"empty", office, o.Vehicle, nil, "verify observation: the envelope is not proper JSON"},
	} {
		_, _, err := c.opener.observation("cph", c.vehicle, c.payload)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if errors.Is(err, errStranger) != (c.name == "unknown vehicle") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	large, err := encrypt(make([]byte, 2000), s.recipients)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.open(large, 1999); err == nil || err.Error() != "it can't be opened: it holds more than 1999 bytes" {
		t.Errorf("got %v", err)
	}
}

func TestParcelIDs(t *testing.T) {
	s := officeSealer(t)
	other, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	id := someFinding(1).ID
	got := s.ParcelID(id)
	if u, err := uuid.Parse(got); err != nil || u.Version() != 8 || u.Variant() != uuid.RFC4122 || !validID(got) {
		t.Errorf("%s is no UUID of version 8 (%v)", got, err)
	}
	if again := openSealer(t).ParcelID(id); again != got {
		t.Errorf("the same vehicle calls it %s and %s", got, again)
	}
	if elsewhere := newTestSealer(t, SealConfig{Signer: other, Recipients: s.recipients}); elsewhere.ParcelID(id) == got || elsewhere.taskName("litter") == s.taskName("litter") {
		t.Error("another vehicle has the same names")
	}
	if s.ParcelID(someFinding(2).ID) == got || s.taskName("litter") == s.taskName("signs") {
		t.Error("different things have one name")
	}
}

func TestIdentityFiles(t *testing.T) {
	for _, classic := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "office.age")
		identity, recipient, err := NewIdentity(classic)
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteIdentity(path, identity, recipient); err != nil {
			t.Fatal(err)
		}
		if err := WriteIdentity(path, identity, recipient); err == nil || !strings.Contains(err.Error(), "a key is never overwritten") {
			t.Errorf("got %v", err)
		}
		ids, err := ReadIdentities(path)
		if err != nil || len(ids) != 1 {
			t.Fatalf("got %d, %v", len(ids), err)
		}
		own, public, err := OwnIdentity(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{path + ".pub", recipient} {
			recipients, err := ParseRecipients(to)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []age.Recipient{recipients[0], public} {
				sealed, err := encrypt([]byte("x"), []age.Recipient{r})
				if err != nil {
					t.Fatal(err)
				}
				if len(sealed) > recipientCost {
					t.Errorf("one recipient costs %d bytes, the limit counts %d", len(sealed), recipientCost)
				}
				if plain, err := decrypt(sealed, 9, own); err != nil || string(plain) != "x" {
					t.Errorf("got %q, %v", plain, err)
				}
			}
		}
		if _, err := ParseRecipients(path); err == nil || !strings.Contains(err.Error(), "holds a private key, want the public one") {
			t.Errorf("got %v", err)
		}
		if _, err := ReadIdentities(path + ".pub"); err == nil || strings.Contains(err.Error(), recipient) {
			t.Errorf("got %v", err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadIdentities(path); err == nil || !strings.Contains(err.Error(), "run: chmod 600 ") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := ParseRecipients("age1nonsense"); err == nil || !strings.HasSuffix(err.Error(), "want a line that begins with age1") {
		t.Errorf("got %v", err)
	}
}

func TestNewSealerRefuses(t *testing.T) {
	office := testIdentity(t, "office").Recipient()
	_, hybrid, err := NewIdentity(false)
	if err != nil {
		t.Fatal(err)
	}
	quantum, err := ParseRecipients(hybrid)
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]SealConfig{
		"seal: the vehicle's signing key is missing":                          {Recipients: []age.Recipient{office}},
		"seal: neither recipients nor a key of the vehicle's own are set":     {Signer: testKey()},
		"seal: at most 16 recipients (got 17)":                                {Signer: testKey(), Recipients: make([]age.Recipient, 17)},
		"seal: incompatible recipients: can't mix post-quantum and classic r": {Signer: testKey(), Recipients: append(quantum, office)},
	} {
		if _, err := NewSealer(c); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzOpener(f *testing.F) {
	s := officeSealer(f)
	office := openerFor(s, testIdentity(f, "office"))
	o := someFinding(1)
	p, err := s.seal(o, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.observation)
	signed, err := office.open(p.observation, maxSignedObservation)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte(ageMark))
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, _, err := office.observation("cph", o.Vehicle, payload)
		if err == nil && got.ID != o.ID {
			t.Errorf("nobody has signed %+v", got)
		}
	})
}
