package uplink

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newKey(t testing.TB) SigningKey {
	t.Helper()
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// seededKey is the same key in every run.
func seededKey(seed byte) SigningKey {
	return SigningKey{ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))}
}

func writtenKey(t *testing.T) (SigningKey, string) {
	t.Helper()
	k, path := newKey(t), filepath.Join(t.TempDir(), "fleet.key")
	if err := WriteKey(path, k); err != nil {
		t.Fatal(err)
	}
	return k, path
}

func TestKeysComeBackFromDisk(t *testing.T) {
	k, path := writtenKey(t)
	private, err := ReadPrivate(path)
	if err != nil || !private.key.Equal(k.key) {
		t.Errorf("private key differs: %v", err)
	}
	public, err := ReadPublic(path + ".pub")
	if err != nil || !public.key.Equal(k.Public().key) || public.ID() != k.Public().ID() {
		t.Errorf("public key differs: %v", err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".pub": 0o644} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
}

func TestKeyID(t *testing.T) {
	if got, want := seededKey('a').Public().ID(), "af9073360066253d"; got != want {
		t.Errorf("ID %s, want %s", got, want)
	}
}

func TestSigningKeyIsNotPrinted(t *testing.T) {
	k := seededKey('a')
	want := "signing key " + k.Public().ID()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, k); got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
	}
	if got := (SigningKey{}).String(); got != "no signing key" {
		t.Errorf("zero value prints %s", got)
	}
}

func TestWriteKeyNeverOverwrites(t *testing.T) {
	_, path := writtenKey(t)
	before, _ := os.ReadFile(path)
	err := WriteKey(path, newKey(t))
	if want := "write key " + path + ": the file exists and a key is never overwritten; choose another name"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the key was overwritten")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := WriteKey(path, newKey(t)); err == nil || !strings.Contains(err.Error(), ".pub: the file exists") {
		t.Errorf("got %v, want a refusal for the .pub file", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a private key without its public half was left behind (%v)", err)
	}
	if err := WriteKey(path, SigningKey{}); err == nil || err.Error() != "write key "+path+": the key is empty" {
		t.Errorf("zero key: %v", err)
	}
}

func TestReadKeyMistakes(t *testing.T) {
	_, path := writtenKey(t)
	private, _ := os.ReadFile(path)
	public, _ := os.ReadFile(path + ".pub")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecPrivate, _ := x509.MarshalPKCS8PrivateKey(ec)
	ecPublic, _ := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }

	for _, tt := range []struct {
		name    string
		data    []byte
		private bool
		want    string
	}{
		{"empty", nil, false, "holds no PEM block; want one that begins with -----BEGIN PUBLIC KEY-----"},
		{"garbage", []byte("ssh-ed25519 AAAA"), true, "holds no PEM block; want one that begins with -----BEGIN PRIVATE KEY-----"},
		{"cut off", public[:60], false, "holds no PEM block; want one that begins with -----BEGIN PUBLIC KEY-----"},
		{"private for public", private, false, "holds a private key, want the public one; give the .pub file, and keep the private key off this machine"},
		{"public for private", public, true, "holds a public key, want the private one; give the file without .pub"},
		{"two keys", append(append([]byte{}, public...), public...), false, "holds more than one key; give one file for each"},
		{"certificate", block("CERTIFICATE", []byte("x")), false, `holds a PEM block of type "CERTIFICATE", want "PUBLIC KEY"`},
		{"other public", block("PUBLIC KEY", ecPublic), false, "is *ecdsa.PublicKey, want an Ed25519 key"},
		{"other private", block("PRIVATE KEY", ecPrivate), true, "is *ecdsa.PrivateKey, want an Ed25519 key"},
		{"large", []byte(strings.Repeat("x", maxKeyFile+1)), false, "larger than 16384 bytes, so not a key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "k")
			if err := os.WriteFile(name, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ReadPublic(name)
			if tt.private {
				_, err = ReadPrivate(name)
			}
			if want := "read key " + name + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestReadKeyDERDamage(t *testing.T) {
	name := filepath.Join(t.TempDir(), "k")
	for kind, read := range map[string]func() error{
		pemPrivate: func() error { _, err := ReadPrivate(name); return err },
		pemPublic:  func() error { _, err := ReadPublic(name); return err },
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte{0x30, 1}}), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := read(); err == nil || !strings.HasPrefix(err.Error(), "read key "+name+": ") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestReadPrivateRefusesOpenFile(t *testing.T) {
	_, path := writtenKey(t)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := ReadPrivate(path)
		want := fmt.Sprintf("read key %s: mode %04o lets others use the key; run: chmod 600 %s", path, mode, path)
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestReadKeyNotAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadPublic(dir); err == nil || err.Error() != "read key "+dir+": is not a file" {
		t.Errorf("folder: %v", err)
	}
	if _, err := ReadPublic(filepath.Join(dir, "none")); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("missing: %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}
