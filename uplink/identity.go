package uplink

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// maxIdentityFile holds a few keys with comments; a post-quantum recipient has 2 KB.
const maxIdentityFile = 64 << 10

// NewIdentity makes an age key pair: a post-quantum one (X25519 with ML-KEM-768),
// which age reads from version 1.3 on, or a classic one (X25519).
func NewIdentity(classic bool) (identity, recipient string, err error) {
	if classic {
		i, err := age.GenerateX25519Identity()
		if err != nil {
			return "", "", fmt.Errorf("make key: %w", err)
		}
		return i.String(), i.Recipient().String(), nil
	}
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		return "", "", fmt.Errorf("make key: %w", err)
	}
	return i.String(), i.Recipient().String(), nil
}

// WriteIdentity writes an age key to path, readable by its owner only, and its
// public half to path.pub, as the age tool writes them. It never overwrites a
// file, and leaves neither half behind on error.
func WriteIdentity(path, identity, recipient string) error {
	private := fmt.Appendf(nil, "# public key: %s\n%s\n", recipient, identity)
	defer clear(private)
	if err := writeNewKeyFile(path, private, 0o600); err != nil {
		return err
	}
	if err := writeNewKeyFile(path+".pub", []byte(recipient+"\n"), 0o644); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return flushDir(filepath.Dir(path))
}

// ReadIdentities reads the age keys of a file, as the age tool writes it. A file
// that others than its owner may read is refused.
func ReadIdentities(path string) ([]age.Identity, error) {
	data, mode, err := readKeyFile(path, maxIdentityFile)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	if mode.Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read key %s: mode %04o lets others use the key; run: chmod 600 %s", path, mode.Perm(), path)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		// age's error may quote what it could not read, and that may be a key.
		return nil, fmt.Errorf("read key %s: holds no age key; want a line that begins with AGE-SECRET-KEY-", path)
	}
	return ids, nil
}

// OwnIdentity reads the one age key of a file together with its public half.
func OwnIdentity(path string) (age.Identity, age.Recipient, error) {
	ids, err := ReadIdentities(path)
	if err != nil {
		return nil, nil, err
	}
	if len(ids) != 1 {
		return nil, nil, fmt.Errorf("read key %s: holds %d keys, want one", path, len(ids))
	}
	switch i := ids[0].(type) {
	case *age.X25519Identity:
		return i, i.Recipient(), nil
	case *age.HybridIdentity:
		return i, i.Recipient(), nil
	}
	return nil, nil, fmt.Errorf("read key %s: is a %T, want an age key of its own", path, ids[0])
}

// ParseRecipients reads the public half of an age key: the key itself, age1…, or
// the path of a file that holds some.
func ParseRecipients(keyOrPath string) ([]age.Recipient, error) {
	data := []byte(keyOrPath)
	if !strings.HasPrefix(keyOrPath, "age1") {
		var err error
		if data, _, err = readKeyFile(keyOrPath, maxIdentityFile); err != nil {
			return nil, err
		}
		defer clear(data)
		if bytes.Contains(data, []byte("AGE-SECRET-KEY-")) {
			return nil, fmt.Errorf("read key %s: holds a private key, want the public one; give the .pub file, and keep the private key off this machine", keyOrPath)
		}
	}
	to, err := age.ParseRecipients(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read key %s: holds no age recipient; want a line that begins with age1", short(keyOrPath))
	}
	return to, nil
}

// RecipientID returns the fingerprint of a recipient, the first 16 hexadecimal
// digits of the SHA-256 of its text. It tells keys apart for people; no decision
// rests on it.
func RecipientID(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return hex.EncodeToString(sum[:8])
}
