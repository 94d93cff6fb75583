package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"gadeblik/cmd/gadeblik/config"
	"gadeblik/uplink"
)

// openSealer reads the vehicle's keys, and makes those that it has none of yet.
func openSealer(cfg config.Seal, log *slog.Logger) (*uplink.Sealer, error) {
	c := uplink.SealConfig{}
	var err error
	if c.Signer, err = deviceKey(cfg.KeyFile, log); err != nil {
		return nil, fmt.Errorf("seal.key_file: %w", err)
	}
	for i, r := range cfg.Recipients {
		to, err := uplink.ParseRecipients(r)
		if err != nil {
			return nil, fmt.Errorf("seal.recipients[%d]: %w", i, err)
		}
		c.Recipients = append(c.Recipients, to...)
	}
	// With recipients the vehicle's own key opens only what waited before there were any.
	if _, err := os.Stat(cfg.OwnFile); errors.Is(err, fs.ErrNotExist) && len(c.Recipients) == 0 {
		if err := makeOwn(cfg.OwnFile, log); err != nil {
			return nil, fmt.Errorf("seal.own_file: %w", err)
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		return uplink.NewSealer(c)
	}
	if c.Own, c.OwnRecipient, err = uplink.OwnIdentity(cfg.OwnFile); err != nil {
		return nil, fmt.Errorf("seal.own_file: %w", err)
	}
	return uplink.NewSealer(c)
}

// deviceKey reads the key that the vehicle signs with, or makes it at the first start.
func deviceKey(path string, log *slog.Logger) (uplink.SigningKey, error) {
	k, err := uplink.ReadPrivate(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = uplink.NewKey(); err != nil {
		return k, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return k, err
	}
	if err := uplink.WriteKey(path, k); err != nil {
		return k, err
	}
	log.Info("this vehicle has a signing key now; give its public half to the case office", "key", k.Public().ID(), "file", path+".pub")
	return k, nil
}

func makeOwn(path string, log *slog.Logger) error {
	identity, recipient, err := uplink.NewIdentity(false)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	log.Warn("no recipients are configured (seal.recipients): evidence is encrypted only while it waits, to a key on this computer", "file", path)
	return uplink.WriteIdentity(path, identity, recipient)
}
