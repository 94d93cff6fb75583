package capture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/foxglove/mcap/go/mcap"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxChunk is the largest MCAP chunk, as stored and as unpacked. Recorders
	// write chunks of about a megabyte.
	maxChunk = 64 << 20
	// maxRecord is the largest record outside a chunk: a frame in base64.
	maxRecord = 2 * MaxJPEG
	// maxChannels is the most channels and the most schemas of one file.
	maxChannels = 1024
)

// mcapReader reads the records of an MCAP file in the order they lie in it,
// those in chunks included. It believes no length before it has compared it
// with what is left of the file, so that a hostile file costs no more memory
// than maxChunk unpacked.
type mcapReader struct {
	f    *os.File
	r    *bufio.Reader
	off  int64 // of the next record
	left int64 // bytes in the file after off

	rec   []byte       // the current record outside chunks, with its head, reused
	chunk bytes.Reader // what the lexer reads: rec when that is a chunk
	lexer *mcap.Lexer  // nil before the first chunk
	zstd  *zstd.Decoder
	inner []byte // the current record in a chunk, reused
	at    int64  // where the chunk begins
	open  bool   // the chunk may have records left
}

// mcapRecord is one record. Its bytes are good until the next is read.
type mcapRecord struct {
	op   mcap.OpCode
	body []byte
	off  int64 // where it, or the chunk that holds it, begins
}

func openMCAPReader(path string) (*mcapReader, error) {
	f, size, err := openFile(path, 1<<50)
	if err != nil {
		return nil, err
	}
	r := &mcapReader{f: f, r: bufio.NewReaderSize(f, 256<<10), left: size}
	magic := make([]byte, len(mcap.Magic))
	if _, err := io.ReadFull(r.r, magic); err != nil || !bytes.Equal(magic, mcap.Magic) {
		return nil, errors.Join(fmt.Errorf("not an MCAP file, it begins with % x", magic), f.Close())
	}
	r.advance(int64(len(magic)))
	return r, nil
}

func (r *mcapReader) close() error {
	if r.zstd != nil {
		r.zstd.Close()
	}
	return r.f.Close()
}

func (r *mcapReader) advance(n int64) {
	r.off += n
	r.left -= n
}

// guarded calls what hands bytes from outside to the MCAP library and its
// decompressors. Some of their parsers panic on bytes that no writer made.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("unreadable: %v", p)
		}
	}()
	return do()
}

// next returns the next record of the data section, io.EOF at its end.
func (r *mcapReader) next() (rec mcapRecord, err error) {
	err = guarded(func() error {
		rec, err = r.read()
		return err
	})
	return rec, err
}

func (r *mcapReader) read() (mcapRecord, error) {
	for {
		if r.open {
			rec, err := r.nextInChunk()
			if err == nil {
				return rec, nil
			}
			r.open = false
			if !errors.Is(err, io.EOF) {
				return mcapRecord{}, fmt.Errorf("chunk at byte %d: %w", r.at, err)
			}
		}
		rec, err := r.nextOutside()
		if err != nil {
			return mcapRecord{}, err
		}
		switch rec.op {
		case mcap.OpChunk:
			if err := r.enter(rec); err != nil {
				return mcapRecord{}, fmt.Errorf("chunk at byte %d: %w", rec.off, err)
			}
		case mcap.OpDataEnd, mcap.OpFooter:
			return mcapRecord{}, io.EOF
		default:
			return rec, nil
		}
	}
}

// nextOutside reads a record that lies in the file itself.
func (r *mcapReader) nextOutside() (mcapRecord, error) {
	const head = 9 // opcode and length
	rec := mcapRecord{off: r.off}
	if r.left < head {
		return rec, fmt.Errorf("the file is cut off at byte %d; `mcap recover` may save what came before", r.off)
	}
	hdr, err := r.r.Peek(head)
	if err != nil {
		return rec, cause(err)
	}
	rec.op = mcap.OpCode(hdr[0])
	size := binary.LittleEndian.Uint64(hdr[1:])
	if size > uint64(r.left-head) {
		return rec, fmt.Errorf("the record at byte %d has %d bytes, the file %d more; `mcap recover` may save what came before", r.off, size, r.left-head)
	}
	most := uint64(maxRecord)
	if rec.op == mcap.OpChunk {
		most = maxChunk
	}
	if size > most && rec.op != mcap.OpAttachment {
		return rec, fmt.Errorf("the record at byte %d has %d bytes, at most %d are accepted", r.off, size, most)
	}
	if size > most { // an attachment that is none of ours
		r.advance(int64(head + size))
		_, err := io.CopyN(io.Discard, r.r, int64(head+size))
		return rec, err
	}
	if uint64(cap(r.rec)) < head+size {
		r.rec = make([]byte, head+size)
	}
	r.rec = r.rec[:head+size]
	if _, err := io.ReadFull(r.r, r.rec); err != nil {
		return rec, cause(err)
	}
	r.advance(int64(head + size))
	rec.body = r.rec[head:]
	return rec, nil
}

// enter makes the records of a chunk the next ones.
func (r *mcapReader) enter(rec mcapRecord) error {
	if err := checkChunk(rec.body); err != nil {
		return err
	}
	if r.lexer == nil {
		if err := r.newLexer(); err != nil {
			return err
		}
	}
	r.chunk.Reset(r.rec)
	r.at, r.open = rec.off, true
	return nil
}

// checkChunk checks the head of a chunk, in which the library trusts: its lexer
// panics on a long name, its parser on a length over the end.
func checkChunk(b []byte) error {
	const fixed = 8 + 8 + 8 + 4 + 4 // times, unpacked size, checksum, length of the compression's name
	if len(b) < fixed+8 {
		return errors.New("cut-off head")
	}
	unpacked := binary.LittleEndian.Uint64(b[16:])
	if unpacked > maxChunk {
		return fmt.Errorf("%d bytes unpacked, at most %d are accepted", unpacked, maxChunk)
	}
	name := uint64(binary.LittleEndian.Uint32(b[fixed-4:]))
	if name > uint64(len(mcap.CompressionZSTD)) || uint64(len(b)) < fixed+name+8 {
		return fmt.Errorf("compression's name of %d bytes", name)
	}
	rest := b[fixed+name:]
	if size := binary.LittleEndian.Uint64(rest); size != uint64(len(rest)-8) {
		return fmt.Errorf("%d bytes of records, its length says %d", len(rest)-8, size)
	}
	return nil
}

func (r *mcapReader) newLexer() (err error) {
	// One goroutine, and a window no larger than a chunk: by default a file of
	// a few bytes makes it allocate half a gigabyte.
	r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxChunk))
	if err != nil {
		return err
	}
	r.lexer, err = mcap.NewLexer(&r.chunk, &mcap.LexerOptions{
		SkipMagic:                true,
		ValidateChunkCRCs:        true,
		MaxDecompressedChunkSize: maxChunk,
		MaxRecordSize:            maxChunk,
		Decompressors:            map[mcap.CompressionFormat]mcap.ResettableReader{mcap.CompressionZSTD: r.zstd},
	})
	return err
}

// nextInChunk returns the next schema, channel or message of the open chunk.
func (r *mcapReader) nextInChunk() (mcapRecord, error) {
	token, body, err := r.lexer.Next(r.inner)
	if err != nil {
		return mcapRecord{}, err
	}
	if cap(body) > cap(r.inner) {
		r.inner = body
	}
	rec := mcapRecord{body: body, off: r.at}
	switch token {
	case mcap.TokenSchema:
		rec.op = mcap.OpSchema
	case mcap.TokenChannel:
		rec.op = mcap.OpChannel
	case mcap.TokenMessage:
		rec.op = mcap.OpMessage
	default:
		return rec, fmt.Errorf("holds a record that belongs outside: %s", token)
	}
	return rec, nil
}
