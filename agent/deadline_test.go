package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadline
		parent, cancel := context.WithCancel(context.WithValue(t.Context(), theKey{}, "value"))
		defer cancel()
		ctx := d.within(parent, time.Second)
		if at, ok := ctx.Deadline(); !ok || at != time.Now().Add(time.Second) || ctx.Value(theKey{}) != "value" {
			t.Errorf("deadline %v %v", at, ok)
		}
		first := ctx.Done()
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		if err := ctx.Err(); err != nil {
			t.Fatalf("ended early: %v", err)
		}
		d.over()
		time.Sleep(time.Hour) // between two uses nothing ends
		synctest.Wait()
		if err := ctx.Err(); err != nil {
			t.Fatalf("ended between uses: %v", err)
		}

		ctx = d.within(parent, time.Second)
		if ctx.Done() != first {
			t.Error("the channel changed without need")
		}
		time.Sleep(1001 * time.Millisecond)
		synctest.Wait()
		if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the limit: %v", err)
		}
		<-first
		d.over()

		ctx = d.within(parent, time.Second)
		if err := ctx.Err(); err != nil || ctx.Done() == first {
			t.Errorf("the use after one that ended: %v", err)
		}
		cancel()
		synctest.Wait()
		<-ctx.Done()
		if err := ctx.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("after the parent's end: %v", err)
		}
		d.over()
		if err := d.within(parent, time.Second).Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("with a parent that has ended: %v", err)
		}
	})
}

// TestEndedStaysEnded: who watches a context must find its error whenever he comes. The
// standard library panics where there is none.
func TestEndedStaysEnded(t *testing.T) {
	var d deadline
	for range 2000 {
		parent, cancel := context.WithCancel(t.Context())
		ctx := d.within(parent, time.Minute)
		seen := make(chan struct{})
		child, stop := context.WithCancel(ctx)
		context.AfterFunc(child, func() { close(seen) })
		cancel()
		<-ctx.Done()
		d.over()
		if d.within(t.Context(), time.Minute).Err() != nil {
			t.Fatal("the next use has ended with the one before")
		}
		d.over()
		<-seen
		if ctx.Err() == nil {
			t.Fatal("a context that ended has no error any more")
		}
		stop()
	}
}

func TestDeadlineDoesNotAllocate(t *testing.T) {
	var d deadline
	ctx := t.Context()
	d.within(ctx, time.Minute)
	d.over()
	if n := testing.AllocsPerRun(100, func() {
		d.within(ctx, time.Minute)
		d.over()
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

type theKey struct{}
