package uplink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// arrival is one message: an observation, a picture, or a part of one.
type arrival struct {
	address
	payload []byte
}

// verdict is what becomes of an arrival.
type verdict struct {
	from     address
	receipt  Receipt   // empty = nothing to say yet
	delivery *Delivery // set when an observation was stored for the first time
	refusal  error     // why nothing was stored
	staged   *staged   // to be stored; the receipt follows
}

// take stores what a batch of messages brings. An error means that the disk has
// failed, and that nobody may be told anything; whatever is wrong with a message is
// in its verdict.
func (s *shelf) take(batch []arrival) ([]verdict, error) {
	verdicts := make([]verdict, len(batch))
	for i, a := range batch {
		v, err := s.look(a)
		if err != nil {
			return nil, fmt.Errorf("take %s %s of %s: %w", a.kind, a.id, a.vehicle, err)
		}
		v.from = a.address
		verdicts[i] = v
	}
	return verdicts, s.store(verdicts)
}

// look decides about one message.
func (s *shelf) look(a arrival) (verdict, error) {
	if err := s.admit(a); err != nil {
		return refused(a.address, err), nil
	}
	if a.kind == topicEvidence && s.known.has(a.address) {
		return verdict{}, nil // its observation gets the receipt
	}
	if a.kind != topicObservations || a.n > 1 {
		if err := s.parts.put(a.address, a.payload); err != nil {
			return verdict{}, err
		}
		return s.assemble(a.address, nil)
	}
	x, err := s.open(a.address, a.payload)
	if err != nil {
		return refused(a.address, err), nil
	}
	v, err := s.complete(a.address, x, nil)
	if err != nil || v.staged != nil || v.refusal != nil || x.Image == nil {
		return v, err
	}
	if v, err = s.assemble(a.address, x); err != nil || v.staged != nil || v.refusal != nil {
		return v, err
	}
	// Its picture is not there. It may have come, to another process, since we
	// looked: that one did not see the observation, so we look again.
	if err := s.parts.put(a.address, a.payload); err != nil {
		return verdict{}, err
	}
	return s.assemble(a.address, x)
}

// sealedMax is how long what is sent may be.
func (s *shelf) sealedMax(kind string) int {
	if kind == topicEvidence {
		return sealedLimit(s.maxEvidence)
	}
	return maxSealedObservation
}

// admit turns away what need not be looked at, before it takes room on the disk.
func (s *shelf) admit(a arrival) error {
	if limit := s.sealedMax(a.kind); len(a.payload) == 0 || len(a.payload) > limit {
		return fmt.Errorf("%s of %d bytes: 1 to %d are taken", a.kind, len(a.payload), limit)
	}
	_, err := s.opener.keys(a.fleet, a.vehicle)
	return err
}

// opened is an observation that its vehicle has signed.
type opened struct {
	Observation
	data   []byte // its canonical JSON
	signed []byte // the envelope, as the vehicle made it
}

// open opens and verifies an observation, and looks whether it can be stored.
func (s *shelf) open(a address, payload []byte) (*opened, error) {
	o, signed, err := s.opener.observation(a.fleet, a.vehicle, payload)
	if err != nil {
		return nil, err
	}
	if o.Image != nil && o.Image.Bytes > s.maxEvidence {
		return nil, fmt.Errorf("the picture has %d bytes, at most %d are taken", o.Image.Bytes, s.maxEvidence)
	}
	data, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return &opened{o, data, signed}, nil
}

// assemble looks what has come of an item and makes it ready to be stored when
// everything is there. The observation may be at hand already.
func (s *shelf) assemble(a address, x *opened) (verdict, error) {
	all, err := s.parts.list(a)
	if err != nil {
		return verdict{}, err
	}
	if v, err := s.measure(a, pileOf(all, a.kind)); err != nil || v.refusal != nil {
		return v, err
	}
	if x == nil {
		from := pileOf(all, topicObservations)
		if !from.whole() {
			return verdict{}, nil
		}
		payload, err := s.parts.read(a, from)
		if err != nil {
			return verdict{}, gone(err)
		}
		if x, err = s.open(a, payload); err != nil {
			return s.broken(a, topicObservations, from, err)
		}
	}
	return s.complete(a, x, pileOf(all, topicEvidence))
}

// complete makes an observation ready to be stored if all of it is there.
func (s *shelf) complete(a address, x *opened, evidence pile) (verdict, error) {
	state, err := s.state(x)
	switch {
	case err != nil:
		return verdict{}, err
	case state == other:
		return refused(a, errOther), s.parts.drop(a)
	case state == same || x.Image == nil:
		return verdict{staged: &staged{opened: x, parcel: a, there: state == same}}, nil
	}
	s.known.remove(a) // what was stored has been lost, or this is new
	if !evidence.whole() {
		return verdict{}, nil
	}
	payload, err := s.parts.read(a, evidence)
	if err != nil {
		return verdict{}, gone(err)
	}
	picture, err := s.opener.picture(x.Observation, payload, s.maxEvidence)
	if err != nil {
		return s.broken(a, topicEvidence, evidence, err)
	}
	return verdict{staged: &staged{opened: x, parcel: a, picture: picture}}, nil
}

// gone passes over what another process has taken away, having stored the item.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// measure refuses an item of which more has come than it can hold.
func (s *shelf) measure(a address, of pile) (verdict, error) {
	limit := int64(s.sealedMax(a.kind))
	if of.size() <= limit {
		return verdict{}, nil
	}
	return refused(a, fmt.Errorf("%s of %d bytes in %d parts: at most %d are taken", a.kind, of.size(), len(of), limit)), s.parts.drop(a)
}

// broken deals with something that does not open or is not what its observation
// says. What came in one piece is dropped, so that another copy can come.
//
// Parts may also be of different copies, each sealed anew. They stay, and each is
// replaced when it comes again, so that the next whole copy opens. Were they
// dropped, the rest of one copy would meet the beginning of the next, time and
// again. It is refused once for each copy: at first, and then when all of it has
// come again.
func (s *shelf) broken(a address, kind string, from pile, reason error) (verdict, error) {
	if from[0].n == 1 || later(reason) {
		return refused(a, reason), s.parts.drop(a)
	}
	of := a
	of.kind = kind
	at, err := s.parts.failedAt(of)
	if err != nil || !at.IsZero() && !from.since(at) {
		return verdict{}, err
	}
	return refused(a, reason), gone(s.parts.fail(of))
}

func refused(a address, reason error) verdict {
	v := verdict{refusal: reason}
	// A stranger's item is refused once, and not for each message of it.
	if !later(reason) || a.kind == topicObservations && a.k == a.n {
		v.receipt.Refused = []Refused{{ID: a.id, Reason: reason.Error(), Later: later(reason)}}
	}
	return v
}
