package capture

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlotNewestWins(t *testing.T) {
	p := NewPool(3)
	src := picture(t, 32, 32)
	var frames []*Frame
	for i := range 3 {
		f, err := p.JPEG(src)
		if err != nil {
			t.Fatal(err)
		}
		f.Seq = uint64(i + 1)
		frames = append(frames, f)
	}
	s := NewSlot()
	for _, f := range frames {
		s.Put(f)
	}
	if got := s.Dropped(); got != 2 {
		t.Errorf("dropped %d, want 2", got)
	}
	if frames[0].JPEG != nil || frames[1].JPEG != nil {
		t.Error("an overtaken frame was not released")
	}
	f, err := s.Take(t.Context())
	if err != nil || f.Seq != 3 {
		t.Fatalf("took %v, %v, want frame 3", f, err)
	}
	if s.TryTake() != nil {
		t.Error("a frame came twice")
	}
	s.Put(f)
	s.Clear()
	if f.JPEG != nil || s.TryTake() != nil || s.Dropped() != 2 {
		t.Errorf("Clear left a frame or counted it: dropped %d", s.Dropped())
	}
	s.Put(nil)
	if s.TryTake() != nil {
		t.Error("nil is no frame")
	}
}

func TestSlotTakeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlot()
		begun := time.Now()
		go func() {
			time.Sleep(40 * time.Millisecond)
			s.Put(&Frame{Seq: 7})
		}()
		f, err := s.Take(t.Context())
		if err != nil || f.Seq != 7 || time.Since(begun) != 40*time.Millisecond {
			t.Errorf("took %v, %v after %s", f, err, time.Since(begun))
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline's", err)
		}

		go func() {
			time.Sleep(time.Minute)
			s.Close()
		}()
		if _, err := s.Take(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("error %v, want ErrClosed", err)
		}
		if _, err := s.Take(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("second error %v, want ErrClosed", err)
		}
	})
}

func TestSlotReady(t *testing.T) {
	s := NewSlot()
	select {
	case <-s.Ready():
		t.Fatal("ready while empty")
	default:
	}
	s.Put(&Frame{Seq: 1})
	s.Put(&Frame{Seq: 2})
	<-s.Ready()
	if f := s.TryTake(); f == nil || f.Seq != 2 {
		t.Errorf("took %v, want frame 2", f)
	}
	select {
	case <-s.Ready():
		t.Error("ready twice for one frame")
	default:
	}
}

func TestSlotClosed(t *testing.T) {
	s := NewSlot()
	waiting, late := &Frame{JPEG: []byte{1}}, &Frame{JPEG: []byte{1}}
	s.Put(waiting)
	s.Close()
	s.Close()
	s.Put(late)
	if waiting.JPEG != nil || late.JPEG != nil || s.TryTake() != nil {
		t.Error("a closed slot kept a frame")
	}
}

func TestSlotConcurrent(t *testing.T) {
	const n = 2000
	s := NewSlot()
	p := NewPool(6)
	src := picture(t, 16, 16)
	taken, lost := 0, 0
	var wg sync.WaitGroup
	wg.Go(func() {
		last := uint64(0)
		for {
			f, err := s.Take(context.Background())
			if err != nil {
				return
			}
			if f.Seq <= last || f.JPEG == nil {
				t.Errorf("frame %d after %d", f.Seq, last)
			}
			last = f.Seq
			taken++
			f.Release()
		}
	})
	for i := range n {
		f, err := p.JPEG(src)
		if err != nil {
			t.Fatal(err)
		}
		f.Seq = uint64(i + 1)
		s.Put(f)
	}
	for s.frame.Load() != nil { // until the last is taken
		runtime.Gosched()
	}
	s.Close()
	wg.Wait()
	lost = int(s.Dropped())
	if taken+lost != n || p.out != 0 {
		t.Errorf("%d taken and %d dropped of %d, %d frames out", taken, lost, n, p.out)
	}
}
