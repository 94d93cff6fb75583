package uplink

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

const (
	pemPrivate = "PRIVATE KEY"
	pemPublic  = "PUBLIC KEY"
	maxKeyFile = 16 << 10
)

// PublicKey is an Ed25519 key that orders are verified with. The zero value is
// no key; [Verifier.Verify] refuses it.
type PublicKey struct {
	key ed25519.PublicKey
}

// ID returns the key's fingerprint, the same on every machine: the first 16
// hexadecimal digits of the SHA-256 of its PKIX form. It tells keys apart for
// people; no decision rests on it.
func (k PublicKey) ID() string {
	sum := sha256.Sum256(k.pkix())
	return hex.EncodeToString(sum[:8])
}

func (k PublicKey) pkix() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		panic("uplink: internal error: marshal an Ed25519 public key: " + err.Error())
	}
	return der
}

// SigningKey is an Ed25519 key that orders are signed with. It stays with the
// person who signs and never comes onto a vehicle. Printing it shows its ID only.
// The zero value is no key; [SignOrders] refuses it.
type SigningKey struct {
	key ed25519.PrivateKey
}

// NewKey makes a key from the system's random numbers.
func NewKey() (SigningKey, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return SigningKey{}, fmt.Errorf("make key: %w", err)
	}
	return SigningKey{private}, nil
}

// Public returns the half of the key that vehicles are given.
func (k SigningKey) Public() PublicKey {
	if len(k.key) != ed25519.PrivateKeySize {
		return PublicKey{}
	}
	return PublicKey{ed25519.PublicKey(k.key[ed25519.SeedSize:])}
}

// String returns the key's ID, never the key.
func (k SigningKey) String() string {
	if len(k.key) != ed25519.PrivateKeySize {
		return "no signing key"
	}
	return "signing key " + k.Public().ID()
}

// GoString returns what String does, so that %#v does not show the key either.
func (k SigningKey) GoString() string { return k.String() }

// WriteKey writes the key to path (PKCS#8 in PEM, readable by its owner only)
// and its public half to path.pub (PKIX in PEM). Both are on disk when it
// returns. It never overwrites a file, and leaves neither half behind on error.
func WriteKey(path string, k SigningKey) error {
	if len(k.key) != ed25519.PrivateKeySize {
		return fmt.Errorf("write key %s: the key is empty", path)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return fmt.Errorf("write key %s: %w", path, err)
	}
	private := pem.EncodeToMemory(&pem.Block{Type: pemPrivate, Bytes: der})
	defer clear(private)
	defer clear(der)
	if err := writeNewKeyFile(path, private, 0o600); err != nil {
		return err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: pemPublic, Bytes: k.Public().pkix()})
	if err := writeNewKeyFile(path+".pub", public, 0o644); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return flushDir(filepath.Dir(path))
}

func writeNewKeyFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("write key %s: the file exists and a key is never overwritten; choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("write key %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// ReadPrivate reads a signing key that [WriteKey] or openssl wrote. A file that
// others than its owner may read is refused.
func ReadPrivate(path string) (SigningKey, error) {
	data, mode, err := readKeyFile(path, maxKeyFile)
	if err != nil {
		return SigningKey{}, err
	}
	defer clear(data)
	if mode.Perm()&0o077 != 0 {
		return SigningKey{}, fmt.Errorf("read key %s: mode %04o lets others use the key; run: chmod 600 %s", path, mode.Perm(), path)
	}
	der, err := decodePEM(data, pemPrivate)
	if err != nil {
		return SigningKey{}, fmt.Errorf("read key %s: %w", path, err)
	}
	defer clear(der)
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return SigningKey{}, fmt.Errorf("read key %s: %w", path, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return SigningKey{}, fmt.Errorf("read key %s: is %T, want an Ed25519 key", path, key)
	}
	return SigningKey{private}, nil
}

// ReadPublic reads the public half of a key. A file with a private key in it is
// refused: that half has no business where orders are verified.
func ReadPublic(path string) (PublicKey, error) {
	data, _, err := readKeyFile(path, maxKeyFile)
	if err != nil {
		return PublicKey{}, err
	}
	defer clear(data)
	der, err := decodePEM(data, pemPublic)
	if err != nil {
		return PublicKey{}, fmt.Errorf("read key %s: %w", path, err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return PublicKey{}, fmt.Errorf("read key %s: %w", path, err)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return PublicKey{}, fmt.Errorf("read key %s: is %T, want an Ed25519 key", path, key)
	}
	return PublicKey{public}, nil
}

func readKeyFile(path string, limit int) ([]byte, os.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("read key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("read key %s: is not a file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read key: %w", err)
	}
	if len(data) > limit {
		return nil, 0, fmt.Errorf("read key %s: larger than %d bytes, so not a key", path, limit)
	}
	return data, info.Mode(), nil
}

// decodePEM returns the content of the one block of the wanted type that data
// must consist of.
func decodePEM(data []byte, want string) ([]byte, error) {
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, fmt.Errorf("holds no PEM block; want one that begins with -----BEGIN %s-----", want)
	case block.Type == pemPrivate && want == pemPublic:
		return nil, errors.New("holds a private key, want the public one; give the .pub file, and keep the private key off this machine")
	case block.Type == pemPublic && want == pemPrivate:
		return nil, errors.New("holds a public key, want the private one; give the file without .pub")
	case block.Type != want || len(block.Headers) > 0:
		return nil, fmt.Errorf("holds a PEM block of type %q, want %q", block.Type, want)
	case slices.ContainsFunc(rest, func(b byte) bool { return b > ' ' }):
		return nil, errors.New("holds more than one key; give one file for each")
	}
	return block.Bytes, nil
}
