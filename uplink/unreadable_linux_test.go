package uplink

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNobodyReads looks where a thief and a curious broker would: into the outbox's
// folder, the broker's file of what it keeps for the office, and every packet on the
// wire. With recipients nothing of an observation can be found in any of them. Without
// any it can on the wire, which shows that the search would find it.
func TestNobodyReads(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		places := leave(t, sealed)
		for place, data := range places {
			if len(data) < 20_000 {
				t.Errorf("sealed %v, %s: %d bytes: the search proves little", sealed, place, len(data))
			}
			for _, word := range []string{"litter", "harbour", "overfull containers", "55.676", someFinding(1).ID} {
				if (sealed || place == "the outbox") && bytes.Contains(data, []byte(word)) {
					t.Errorf("sealed %v: %q can be read in %s", sealed, word, place)
				}
			}
			for what, secret := range secrets() {
				readable := !sealed && place != "the outbox"
				switch found := bytes.Contains(data, secret); {
				case found && !readable:
					t.Errorf("sealed %v: %s can be read in %s", sealed, what, place)
				case !found && readable:
					t.Errorf("sealed %v: %s is not found in %s, where it is in the open: the search does not see it", sealed, what, place)
				}
			}
		}
	}
}

// secrets are what must not be seen, in the forms in which it is written.
func secrets() map[string][]byte {
	o := someFinding(1)
	data, _ := o.MarshalJSON()
	// A place in base64 depends on where it begins: take it out of the whole.
	text := base64.StdEncoding.EncodeToString(data)
	at := func(part string) []byte {
		i := bytes.Index(data, []byte(part)) / 3 * 4
		return []byte(text[i+4 : i+20])
	}
	return map[string][]byte{
		"the start of a JPEG": {0xFF, 0xD8, 0xFF, 0xE1},
		"the head of an EXIF": []byte("Exif\x00\x00"),
		"the start of a scan": {0xFF, 0xDA, 0x00, 0x0C, 0x03},
		"a coordinate":        at(`"position":{"lat":55.67`),
		"the task":            at(`"task":"litter"`),
		"the id":              at(o.ID),
	}
}

// leave lets a vehicle send to an office that is away, and returns what lies about.
func leave(t *testing.T, sealed bool) map[string][]byte {
	t.Helper()
	store := t.TempDir()
	broker := newMosquitto(t, "persistence true", "persistence_location "+store+"/", "user root")
	seal, opener := openSealer(t), openerFor(openSealer(t))
	if sealed {
		seal, opener = officeSealer(t), openerFor(officeSealer(t), testIdentity(t, "office"))
	}
	in := newTestInbox(t, InboxConfig{Broker: broker.url(), ClientID: "office", Opener: opener})
	stop := running(t, in.Run)
	time.Sleep(300 * time.Millisecond) // subscribed
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	wire := capture(t, broker.address)
	dir := t.TempDir()
	b, _ := openTestOutbox(t, dir, OutboxConfig{Seal: seal})
	for n := range 20 {
		o, e := withEvidence(t, someFinding(n))
		if err := b.Put(o, e, Terms{Day: "2026-05-04"}); err != nil {
			t.Fatal(err)
		}
	}
	l := newTestLink(t, LinkConfig{Broker: broker.url(), Outbox: b})
	stop = running(t, l.Run)
	waitFor(t, "everything to be at the broker", func() bool { return l.Stats().Published == 20 })
	if err := broker.cmd.Process.Signal(syscall.SIGUSR1); err != nil { // mosquitto writes down what it keeps
		t.Fatal(err)
	}
	kept := filepath.Join(store, "mosquitto.db")
	waitFor(t, "the broker's file", func() bool { info, err := os.Stat(kept); return err == nil && info.Size() > 20_000 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"the outbox": everything(t, dir), "the broker's file": data, "the packets": wire()}
}

// everything returns the names and contents of all files below a folder.
func everything(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(append(all, path...), data...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// capture records every packet from or to an address on this machine, until its
// result is called. It needs root.
func capture(t *testing.T, address string) func() []byte {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	const all = unix.ETH_P_ALL<<8&0xFF00 | unix.ETH_P_ALL>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
	if err != nil {
		t.Skipf("capturing packets: %v", err)
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: lo.Index}); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var seen []byte
	done := make(chan struct{})
	wg.Go(func() {
		defer unix.Close(fd)
		buf := make([]byte, 128<<10)
		for {
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if err == nil {
				if data, ok := segment(buf[:n], port); ok {
					seen = append(seen, data...)
				}
				continue
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	stop := sync.OnceFunc(func() { close(done); wg.Wait() })
	t.Cleanup(stop)
	return func() []byte { stop(); return seen }
}

// segment returns what a TCP packet over IPv4 over Ethernet carries, if it is from or
// to a port.
func segment(frame []byte, port int) ([]byte, bool) {
	const ethernet = 14
	if len(frame) < ethernet+20 || frame[ethernet]>>4 != 4 || frame[ethernet+9] != unix.IPPROTO_TCP {
		return nil, false
	}
	tcp := frame[ethernet+int(frame[ethernet]&0x0F)*4:]
	if len(tcp) < 20 {
		return nil, false
	}
	from, to := int(tcp[0])<<8|int(tcp[1]), int(tcp[2])<<8|int(tcp[3])
	head := int(tcp[12]>>4) * 4
	if from != port && to != port || len(tcp) < head {
		return nil, false
	}
	return tcp[head:], true
}
