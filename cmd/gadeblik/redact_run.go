package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"gadeblik/agent"
	"gadeblik/blur"
)

// patience bounds one detection. A slow machine must not change what comes out; a
// vehicle is less patient, since a model that hangs would stop everything else.
const patience = 10 * time.Minute

// maxFile bounds a file that is read: a picture of the largest size that package
// blur takes has less.
const maxFile = 128 << 20

// redaction is one run of redact.
type redaction struct {
	*redactOptions
	std         stdio
	req         blur.Request
	settings    settings
	fingerprint string
	album       *album
	pictures    []*photo // every file that was named or found, in order
}

// run finds what is wrong with the call before it loads the models, which takes
// longest, and loads none where there is nothing to do.
func (o *redactOptions) run(ctx context.Context, std stdio, args []string) (err error) {
	req, err := o.request()
	if err != nil {
		return err
	}
	if err := checkFolder(o.models); err != nil {
		return err
	}
	for _, w := range o.warnings() {
		fmt.Fprintln(std.err, "warning: "+w)
	}
	// A dump would be a copy of originals that outlives them.
	if err := forbidCoreDumps(); err != nil && !o.quietly {
		fmt.Fprintln(std.err, "note: "+err.Error())
	}
	r := redaction{redactOptions: o, std: std, req: req}
	eyes, used, fingerprint, err := o.eyes()
	if err != nil {
		return err
	}
	r.settings, r.fingerprint = used, fingerprint
	if r.pictures, err = gather(args, o.out); err != nil {
		return err
	}
	if r.album, err = openAlbum(o.out); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.album.close()) }()
	if err := o.settle(r.album, r.pictures, fingerprint); err != nil {
		return err
	}
	return r.all(ctx, eyes)
}

// all redacts what there is to do, and tells what was done, also where something
// stopped it.
func (r *redaction) all(ctx context.Context, eyes choice) error {
	var todo []*photo
	for _, p := range r.pictures {
		if p.settled = p.Status != ""; !p.settled {
			todo = append(todo, p)
		}
	}
	workers, err := r.hire(eyes, min(r.jobs, len(todo)))
	if err != nil {
		return err
	}
	defer func() {
		for _, w := range workers {
			_ = w.loaded.close() // read from only
		}
	}()
	if len(todo) > 0 && r.models == "" && !r.quietly {
		fmt.Fprintln(r.std.err, "note: the built-in model looks alone, and misses more than with public ones beside it: `gadeblik models fetch`, then --models "+defaultModels)
	}
	if !r.dryRun && (len(todo) > 0 || r.withReport) {
		if err := r.album.make(); err != nil {
			return err
		}
	}
	err = r.work(ctx, workers, todo)
	if r.withReport {
		err = errors.Join(err, r.report())
	}
	return errors.Join(r.conclude(), err)
}

// worker redacts one picture after the other. It belongs to one goroutine.
type worker struct {
	redactor agent.Redactor
	loaded   *detectors
	src      blur.Source
}

// hire loads the models once for each worker.
func (r *redaction) hire(eyes choice, n int) ([]*worker, error) {
	var all []*worker
	for range n {
		models, loaded, err := r.load(eyes)
		if err != nil {
			for _, w := range all {
				err = errors.Join(err, w.loaded.close())
			}
			return nil, err
		}
		all = append(all, &worker{redactor: agent.Redactor{Models: models}, loaded: loaded})
	}
	return all, nil
}

// work lets every worker take the next picture until there is none, or until ctx
// ends: then each finishes the one it has. An error stops them too.
func (r *redaction) work(ctx context.Context, workers []*worker, todo []*photo) error {
	queue, finished := make(chan *photo, len(todo)), make(chan *photo)
	for _, p := range todo {
		queue <- p
	}
	close(queue)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	hands, ctx := errgroup.WithContext(ctx)
	for _, w := range workers {
		hands.Go(func() error { return r.pull(ctx, w, queue, finished) })
	}
	var shift errgroup.Group
	shift.Go(func() error {
		defer close(finished)
		return hands.Wait()
	})
	err := r.follow(finished, stop)
	err = errors.Join(err, shift.Wait())
	for _, p := range todo {
		if p.Status == "" {
			p.Status = pending
		}
	}
	return err
}

// pull redacts pictures of the queue.
func (r *redaction) pull(ctx context.Context, w *worker, queue <-chan *photo, finished chan<- *photo) error {
	for p := range queue {
		if ctx.Err() != nil {
			return nil
		}
		err := r.one(context.WithoutCancel(ctx), w, p)
		finished <- p
		if err != nil {
			return err
		}
	}
	return nil
}

// one redacts one picture. What goes wrong with it is told in its record; an error
// means that no other picture could be stored either.
func (r *redaction) one(ctx context.Context, w *worker, p *photo) error {
	made := made{Source: p.stamp(), Settings: r.fingerprint}
	got, err := w.redact(ctx, p.source, r.req)
	if err == nil {
		jpeg := got.Image.JPEG()
		p.succeed(got, jpeg, r.labels)
		if r.dryRun {
			return nil
		}
		made.record = p.record
		err = r.album.keep(p, made, jpeg)
	}
	if err == nil {
		return nil
	}
	if p.replace && !r.dryRun {
		err = errors.Join(err, r.album.drop(p))
	}
	p.fail(err)
	if full(err) {
		return hinted(fmt.Errorf("%s: %s", r.out, p.Reason), "make room, and go on with --resume")
	}
	return nil
}

// redact returns the picture without anybody in it.
func (w *worker) redact(ctx context.Context, path string, req blur.Request) (agent.Redacted, error) {
	raw, err := readOriginal(path)
	if err != nil {
		return agent.Redacted{}, err
	}
	defer clear(raw)
	standing, err := upright(raw)
	if err != nil {
		return agent.Redacted{}, err
	}
	defer clear(standing)
	if err := w.src.Open(standing); err != nil {
		return agent.Redacted{}, err
	}
	defer w.src.Close()
	return w.redactor.Redact(ctx, &w.src, req)
}

func readOriginal(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read from only
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > maxFile {
		return nil, fmt.Errorf("%d MiB: larger than %d MiB", st.Size()>>20, maxFile>>20)
	}
	// Of the size it has, so that no copy is left behind by a buffer that grows.
	raw := make([]byte, st.Size())
	_, err = io.ReadFull(f, raw)
	return raw, err
}
