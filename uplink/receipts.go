package uplink

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

const (
	maxReceipt        = 256 << 10 // bytes of a receipt
	maxReceiptEntries = 1000      // ids in a receipt
)

// Receipt is the inbox's word about observations of one vehicle.
type Receipt struct {
	Stored  []Stored  `json:"stored,omitempty"`
	Refused []Refused `json:"refused,omitempty"`
}

// Stored says that an observation is stored, with its picture if it has one. The id
// is that of the parcel, as the topic has it, and the digest that of the signed
// observation within. The sender compares it before it deletes: an id is no secret,
// the content is, so a receipt can only come from somebody who has opened it.
type Stored struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
}

// Refused says that an observation can't be stored, and why.
type Refused struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	// Later says that nothing is wrong with the item: send it again another time.
	Later bool `json:"later,omitempty"`
}

// ParseReceipt reads a receipt. Ids are well formed in what it returns.
func ParseReceipt(data []byte) (Receipt, error) {
	var r Receipt
	if len(data) > maxReceipt {
		return r, fmt.Errorf("parse receipt: %d bytes, at most %d", len(data), maxReceipt)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return Receipt{}, fmt.Errorf("parse receipt: %w", err)
	}
	if n := len(r.Stored) + len(r.Refused); n > maxReceiptEntries {
		return Receipt{}, fmt.Errorf("parse receipt: %d ids, at most %d", n, maxReceiptEntries)
	}
	for i, s := range r.Stored {
		if !validID(s.ID) {
			return Receipt{}, fmt.Errorf("parse receipt: stored[%d].id: must be a UUID in lower case (got %q)", i, short(s.ID))
		}
	}
	for i, s := range r.Refused {
		if !validID(s.ID) {
			return Receipt{}, fmt.Errorf("parse receipt: refused[%d].id: must be a UUID in lower case (got %q)", i, short(s.ID))
		}
	}
	return r, nil
}

// add adds what is not said yet: an item may have come twice in a batch.
func (r *Receipt) add(more Receipt) {
	for _, s := range more.Stored {
		if !slices.Contains(r.Stored, s) {
			r.Stored = append(r.Stored, s)
		}
	}
	for _, s := range more.Refused {
		if !slices.Contains(r.Refused, s) {
			r.Refused = append(r.Refused, s)
		}
	}
}

func (r Receipt) empty() bool { return len(r.Stored)+len(r.Refused) == 0 }

func hexDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
