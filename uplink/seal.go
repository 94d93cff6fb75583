package uplink

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"github.com/google/uuid"
)

const (
	maxRecipients = 16
	// recipientCost is what one recipient adds to what is sealed; a post-quantum one
	// takes most.
	recipientCost = 4 << 10
)

// sealedLimit is how long something of this length may be when it is sealed. age
// adds its header and 16 bytes to each 64 KiB.
func sealedLimit(plain int) int { return plain + plain/1024 + maxRecipients*recipientCost }

var (
	maxSignedObservation = envelopeLimit(maxObservation)
	maxSealedObservation = sealedLimit(maxSignedObservation)
	maxSealedEvidence    = sealedLimit(maxEvidence)
)

// SealConfig says who signs, and who can read.
type SealConfig struct {
	Signer SigningKey // the vehicle's own; must be set
	// Recipients are the case office's. What is sealed for them nobody else can
	// read, the vehicle neither.
	Recipients []age.Recipient
	// Own is the vehicle's own key. It takes the recipients' place where there are
	// none, and opens what was sealed while there were none.
	Own age.Identity
	// OwnRecipient is the public half of Own.
	OwnRecipient age.Recipient
}

// Sealer makes what may lie on a disk and pass a broker out of an observation and
// its picture: the observation is signed by the vehicle (a DSSE envelope of type
// [ObservationPayloadType]), then both are encrypted (age) to the case office.
// Without recipients they are encrypted to the vehicle's own key for as long as
// they wait, and sent signed and open.
//
// On the way an observation goes by another id than its own: that one is a hash
// over task and time, which whoever knows the tasks could guess back. The names
// used outside are keyed hashes of which only the vehicle has the key.
//
// A Sealer is immutable and safe for concurrent use.
type Sealer struct {
	signer     SigningKey
	recipients []age.Recipient
	own        age.Identity
	ownSeal    age.Recipient
	names      []byte
}

// NewSealer checks the configuration and tries each recipient once.
func NewSealer(c SealConfig) (*Sealer, error) {
	s := &Sealer{signer: c.Signer, recipients: c.Recipients, own: c.Own, ownSeal: c.OwnRecipient}
	switch {
	case len(c.Signer.key) != ed25519.PrivateKeySize:
		return nil, errors.New("seal: the vehicle's signing key is missing")
	case len(c.Recipients) > maxRecipients:
		return nil, fmt.Errorf("seal: at most %d recipients (got %d)", maxRecipients, len(c.Recipients))
	case len(c.Recipients) == 0 && (c.Own == nil || c.OwnRecipient == nil):
		return nil, errors.New("seal: neither recipients nor a key of the vehicle's own are set")
	}
	s.names = keyed(c.Signer.key.Seed(), "gadeblik names")
	if _, err := encrypt(nil, s.seals()); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return s, nil
}

// seals are those who can read what is sealed now.
func (s *Sealer) seals() []age.Recipient {
	if len(s.recipients) > 0 {
		return s.recipients
	}
	return []age.Recipient{s.ownSeal}
}

// ForOffice tells whether there are recipients, so that what is sent is sealed.
func (s *Sealer) ForOffice() bool { return len(s.recipients) > 0 }

// Public returns the key that the vehicle's observations are verified with.
func (s *Sealer) Public() PublicKey { return s.signer.Public() }

// ParcelID returns the id by which broker and disk know an observation: a UUID of
// version 8, the same every time.
func (s *Sealer) ParcelID(id string) string { return s.parcelID(id).String() }

func (s *Sealer) parcelID(id string) uuid.UUID {
	u := uuid.UUID(keyed(s.names, "id\x00"+id)[:16])
	u[6] = u[6]&0x0F | 0x80 // version 8 of RFC 9562: made as its maker likes
	u[8] = u[8]&0x3F | 0x80 // its variant
	return u
}

// taskName returns what a task is called where anybody may read it.
func (s *Sealer) taskName(task string) string {
	return hex.EncodeToString(keyed(s.names, "task\x00"+task)[:8])
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// parcel is a sealed observation with its picture.
type parcel struct {
	id uuid.UUID
	// digest is the SHA-256 of the signed observation. Only who has opened the
	// parcel can know it, since a signature can't be guessed: a receipt that names
	// it comes from there.
	digest                [sha256.Size]byte
	observation, evidence []byte
	own                   bool // sealed to the vehicle's own key
}

// seal signs and encrypts a valid observation and its picture, which may be nil.
func (s *Sealer) seal(o Observation, picture []byte) (parcel, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return parcel{}, err
	}
	if len(data) > maxObservation {
		return parcel{}, fmt.Errorf("observation %s has %d bytes, at most %d", o.ID, len(data), maxObservation)
	}
	signed, err := signEnvelope(ObservationPayloadType, data, s.signer)
	if err != nil {
		return parcel{}, fmt.Errorf("sign observation %s: %w", o.ID, err)
	}
	p := parcel{id: s.parcelID(o.ID), digest: sha256.Sum256(signed), own: !s.ForOffice()}
	if p.observation, err = encrypt(signed, s.seals()); err != nil {
		return parcel{}, fmt.Errorf("seal observation %s: %w", o.ID, err)
	}
	if picture != nil {
		if p.evidence, err = encrypt(picture, s.seals()); err != nil {
			return parcel{}, fmt.Errorf("seal evidence %s: %w", o.ID, err)
		}
	}
	return p, nil
}

// outgoing returns what is sent of what was sealed to the vehicle's own key: it is
// opened, and sealed anew if there are recipients by now.
func (s *Sealer) outgoing(stored []byte, limit int) ([]byte, error) {
	if len(stored) == 0 {
		return nil, nil
	}
	if s.own == nil {
		return nil, errors.New("it is sealed to the vehicle's own key, which is missing")
	}
	plain, err := decrypt(stored, limit, s.own)
	if err != nil || !s.ForOffice() {
		return plain, err
	}
	return encrypt(plain, s.recipients)
}

func encrypt(plain []byte, to []age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(plain) + len(plain)/1024 + 1<<10)
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func decrypt(sealed []byte, limit int, with ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), with...)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > limit {
		return nil, fmt.Errorf("it holds more than %d bytes", limit)
	}
	return plain, nil
}
