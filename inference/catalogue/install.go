package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	// stalled is how long nothing may arrive, beginning with the dialling; a patchy mobile network recovers sooner.
	stalled = 45 * time.Second
	// longest is how long one file may take; at 10 MB it is 50 kbit/s.
	longest   = 30 * time.Minute
	redirects = 5
)

// copy takes a model's file from the mirror.
func (o FetchOptions) copy(ctx context.Context, m Model, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	defer f.Close()
	if err := o.take(ctx, m, path, f); err != nil {
		return fmt.Errorf("mirror: %s: %w", path, err)
	}
	return nil
}

// download takes a model's file from an address.
func (o FetchOptions) download(ctx context.Context, m Model, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("not finished after %v", longest))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watch := time.AfterFunc(stalled, func() { stop(fmt.Errorf("nothing arrived for %v", stalled)) })
	defer watch.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := o.client().Do(req)
	if err != nil {
		return causeOf(ctx, errors.Unwrap(err)) // without the address, which the caller says
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	body := readerFunc(func(p []byte) (int, error) {
		n, err := resp.Body.Read(p)
		watch.Reset(stalled)
		return n, err
	})
	return causeOf(ctx, o.take(ctx, m, url, body))
}

// causeOf tells why a context was ended instead of that it was.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// client follows redirects to HTTPS only.
func (o FetchOptions) client() *http.Client {
	c := http.Client{}
	if o.Client != nil {
		c = *o.Client
	}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if req.URL.Scheme != "https" {
			return fmt.Errorf("redirected to %s, which is not https", req.URL.Redacted())
		}
		if len(via) > redirects {
			return fmt.Errorf("redirected more than %d times", redirects)
		}
		return nil
	}
	return &c
}

// take installs what r gives as the model's file if size and hash are right; it reads one byte too
// many at most.
func (o FetchOptions) take(ctx context.Context, m Model, from string, r io.Reader) error {
	return install(m.Path(), func(w io.Writer) error {
		sum, done := sha256.New(), int64(0)
		counted := readerFunc(func(p []byte) (int, error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			n, err := r.Read(p)
			done += int64(n)
			if o.Progress != nil && n > 0 {
				o.Progress(Progress{Model: m.Name, From: from, Done: min(done, m.Bytes), Total: m.Bytes})
			}
			return n, err
		})
		n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(counted, m.Bytes+1))
		if err != nil {
			return err
		}
		if n > m.Bytes {
			return fmt.Errorf("larger than the %d bytes it should have", m.Bytes)
		}
		if n < m.Bytes {
			return fmt.Errorf("%d bytes, want %d", n, m.Bytes)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != m.SHA256 {
			return fmt.Errorf("sha256 %.12s…, want %.12s…", got, m.SHA256)
		}
		return nil
	})
}

// install puts what fill writes at path, whole or not at all, also when the power goes.
func install(path string, fill func(io.Writer) error) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = fill(tmp)
	if err == nil {
		err = errors.Join(tmp.Chmod(0o644), tmp.Sync())
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
