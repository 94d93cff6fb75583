package uvcsim

import (
	"time"
)

// Bits of a payload's header.
const (
	headerToggle = 0x01 // changes from picture to picture
	headerLast   = 0x02 // the picture ends with this payload
	headerEnd    = 0x80 // the header ends here
	headerBytes  = 2
)

// play gives pictures while the driver wants them, until the camera is gone.
func (c *Camera) play() {
	toggle, due := byte(0), time.Now()
	for n := 0; ; n++ {
		interval, corrupt, ok := c.awaitStream()
		if !ok {
			return
		}
		// Behind: the driver was slow, which is no reason to hurry now.
		if due = due.Add(interval); time.Until(due) < 0 || time.Until(due) > interval {
			due = time.Now()
		}
		time.Sleep(time.Until(due))
		picture := c.film.Pictures[n/c.film.Hold%len(c.film.Pictures)]
		if corrupt {
			picture = picture[:len(picture)/2]
		}
		whole := c.show(picture, toggle)
		toggle ^= headerToggle // also after a part: the driver must not take the next for its rest
		if whole {
			c.set(func() { c.frames++ })
		}
	}
}

// awaitStream waits until a picture is wanted and may be given. It returns false when
// the camera is gone.
func (c *Camera) awaitStream() (interval time.Duration, corrupt, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.gone && (!c.on || c.frozen) {
		c.changed.Wait()
	}
	return c.interval, c.corrupt, !c.gone
}

// show sends one picture and tells whether all of it was taken.
func (c *Camera) show(picture []byte, toggle byte) bool {
	for len(picture) > 0 {
		t, ok := c.place()
		if !ok {
			return false
		}
		n := min(len(picture), min(t.room, maxPayload)-headerBytes)
		bits := byte(headerEnd) | toggle
		if n == len(picture) {
			bits |= headerLast
		}
		c.send(bulk(t.id, outcomeOK, append([]byte{headerBytes, bits}, picture[:n]...)))
		picture = picture[n:]
	}
	return true
}

// place waits for a place of the driver's.
func (c *Camera) place() (transfer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.gone && c.on && !c.frozen && len(c.waiting) == 0 {
		c.changed.Wait()
	}
	if c.gone || !c.on || c.frozen {
		return transfer{}, false
	}
	t := c.waiting[0]
	c.waiting = c.waiting[1:]
	return t, true
}
