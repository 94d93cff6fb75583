package uplink

import (
	"bytes"
	"errors"
	"fmt"

	"filippo.io/age"
)

// ageMark is how everything begins that age has sealed.
const ageMark = "age-encryption.org/"

func isSealed(payload []byte) bool { return bytes.HasPrefix(payload, []byte(ageMark)) }

// Opener is the case office's side of a [Sealer].
type Opener struct {
	Identities []age.Identity // that open what is sealed; none = only what is sent open can be read
	SealedOnly bool           // refuse what is sent open
	// Keys returns the keys of a vehicle, any of which may have signed; nil means
	// that the vehicle is not known. It must be safe for concurrent use. Fleet and
	// vehicle come from a topic; they are names, and safe as an element of a path.
	Keys func(fleet, vehicle string) ([]PublicKey, error)
}

// errStranger marks what a vehicle sends that nobody has introduced: nothing is
// wrong with it, and it can be stored when somebody has.
var errStranger = errors.New("vehicle is not known here")

// keysError says that the keys of a vehicle can't be read. The vehicle is told no
// more than that: why concerns the office.
type keysError struct {
	vehicle string
	cause   error
}

func (e keysError) Error() string {
	return "the keys of vehicle " + e.vehicle + " can't be read here"
}

func (e keysError) Unwrap() error { return e.cause }

// later tells whether an error may be gone another time, without a change of what
// the vehicle has sent.
func later(err error) bool {
	var unreadable keysError
	return errors.Is(err, errStranger) || errors.As(err, &unreadable)
}

// keys returns the keys of a vehicle that somebody has introduced.
func (op Opener) keys(fleet, vehicle string) ([]PublicKey, error) {
	keys, err := op.Keys(fleet, vehicle)
	if err != nil {
		return nil, keysError{vehicle, err}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: there is no key for vehicle %s of fleet %s", errStranger, vehicle, fleet)
	}
	return keys, nil
}

// open returns what a vehicle sealed, at most limit bytes.
func (op Opener) open(payload []byte, limit int) ([]byte, error) {
	switch {
	case !isSealed(payload) && op.SealedOnly:
		return nil, errors.New("it is not sealed")
	case !isSealed(payload) && len(payload) > limit:
		return nil, fmt.Errorf("it has %d bytes, at most %d are taken", len(payload), limit)
	case !isSealed(payload):
		return payload, nil
	case len(op.Identities) == 0:
		return nil, errors.New("it is sealed, and no key is here to open it")
	}
	plain, err := decrypt(payload, limit, op.Identities...)
	var strange *age.NoIdentityMatchError
	if errors.As(err, &strange) {
		return nil, errors.New("it is sealed to somebody else: none of the keys here opens it")
	}
	if err != nil {
		return nil, fmt.Errorf("it can't be opened: %w", err)
	}
	return plain, nil
}

// observation opens and verifies what came as the observation of a vehicle. It
// returns also the signed envelope, as the vehicle made it.
func (op Opener) observation(fleet, vehicle string, payload []byte) (o Observation, signed []byte, err error) {
	signed, err = op.open(payload, maxSignedObservation)
	if err != nil {
		return Observation{}, nil, fmt.Errorf("observation: %w", err)
	}
	keys, err := op.keys(fleet, vehicle)
	if err != nil {
		return Observation{}, nil, err
	}
	e, data, err := openEnvelope(signed, ObservationPayloadType, maxSignedObservation)
	if err == nil {
		err = checkSignatures(e, keys, 1)
	}
	if err != nil {
		return Observation{}, nil, fmt.Errorf("verify observation: %w", err)
	}
	o, err = ParseObservation(data)
	if err != nil {
		return Observation{}, nil, err
	}
	if o.Vehicle != vehicle {
		return Observation{}, nil, fmt.Errorf("verify observation: its topic says vehicle %s, it says %s", vehicle, o.Vehicle)
	}
	return o, signed, nil
}

// Open opens, verifies and compares what a vehicle sealed: its observation, and the
// picture of it, empty where there is none.
func (op Opener) Open(fleet, vehicle string, observation, evidence []byte) (Observation, []byte, error) {
	o, _, err := op.observation(fleet, vehicle, observation)
	if err != nil {
		return Observation{}, nil, err
	}
	if o.Image == nil {
		return o, nil, nil
	}
	picture, err := op.picture(o, evidence, maxEvidence)
	return o, picture, err
}

// picture opens the evidence of an observation and compares it with what that says.
func (op Opener) picture(o Observation, evidence []byte, limit int) ([]byte, error) {
	picture, err := op.open(evidence, limit)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if len(picture) != o.Image.Bytes {
		return nil, fmt.Errorf("the picture has %d bytes, its observation says %d", len(picture), o.Image.Bytes)
	}
	if got := hexDigest(picture); got != o.Image.SHA256 {
		return nil, fmt.Errorf("the picture has sha256 %s, its observation says %s", got, o.Image.SHA256)
	}
	return picture, nil
}
