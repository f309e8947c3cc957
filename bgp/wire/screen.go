package wire

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/buoynet/buoy/internal/neighbor"
)

// The message types (RFC 4271 §4.1, RFC 2918).
const (
	typeOpen         = 1
	typeUpdate       = 2
	typeNotification = 3
	typeKeepalive    = 4
	typeRouteRefresh = 5
)

// The NOTIFICATION codes that the wire itself sends.
const (
	codeHeader = 1
	codeOpen   = 2
	codeUpdate = 3
	codeHold   = 4
	codeFSM    = 5
	codeCease  = 6

	codeRefresh   = 7 // RFC 7313 §5
	refreshLength = 1
)

// The subcodes of an OPEN Message Error that say more than "malformed".
const (
	openBadAS         = 2
	openBadIdentifier = 3
	openHoldTime      = 6
	openCapability    = 7
)

// The subcodes of Cease that the wire itself sends (RFC 4486).
const (
	ceaseMaximum      = 1 // Maximum Number of Prefixes Reached
	ceaseShutdown     = 2 // Administrative Shutdown
	ceaseDeconfigured = 3 // Peer De-configured
	ceaseChanged      = 6 // Other Configuration Change
	ceaseCollision    = 7 // Connection Collision Resolution
	ceaseHardReset    = 9 // RFC 8538
)

const (
	headerLength = 19
	maxLength    = 4096
	maxExtended  = 65535 // of all but OPEN and KEEPALIVE, once both sides offered it (RFC 8654 §4)
)

// minNotification is the length of a NOTIFICATION without data.
const minNotification = 21

// lengths gives the shortest and the longest message of each type, by type.
var lengths = [...]struct{ min, max int }{
	typeOpen:         {29, maxLength},
	typeUpdate:       {23, maxExtended},
	typeNotification: {minNotification, maxExtended},
	typeKeepalive:    {headerLength, headerLength},
	typeRouteRefresh: {23, maxExtended}, // RFC 5291 appends entries
}

// refusal is why a message is answered with a NOTIFICATION instead of being
// passed on.
type refusal struct {
	code, subcode byte
	data          []byte
	reason        string
}

func (r *refusal) Error() string { return r.reason }

// cause classifies the refusal.
func (r *refusal) cause() neighbor.Cause {
	switch [2]byte{r.code, r.subcode} {
	case [2]byte{codeOpen, openBadAS}:
		return neighbor.CauseWrongAS
	case [2]byte{codeOpen, openBadIdentifier}:
		return neighbor.CauseRouterIDClash
	case [2]byte{codeOpen, openHoldTime}:
		return neighbor.CauseHoldTime
	case [2]byte{codeOpen, openCapability}:
		return neighbor.CauseNoCommonFamily
	case [2]byte{codeHold, 0}:
		return neighbor.CauseNoOpen
	}
	return neighbor.CauseMalformed
}

// ending returns what the refusal means for the connection.
func (r *refusal) ending() *ending {
	return &ending{cause: r.cause(), reason: r.reason, last: r.bytes()}
}

// bytes returns the NOTIFICATION.
func (r *refusal) bytes() []byte {
	return message(typeNotification, append([]byte{r.code, r.subcode}, r.data...)...)
}

// screen checks the header of a message that may have so many bytes (RFC 4271
// §6.1).
func screen(header []byte, limit int) *refusal {
	for _, b := range header[:16] {
		if b != 0xff {
			return &refusal{codeHeader, 1, nil, "a message without the marker"}
		}
	}
	length, typ := int(binary.BigEndian.Uint16(header[16:])), header[18]
	badLength := &refusal{codeHeader, 2, []byte{header[16], header[17]},
		fmt.Sprintf("a message of type %d with the length %d", typ, length)}
	if length < headerLength || length > limit {
		return badLength
	}
	if typ == 0 || int(typ) >= len(lengths) {
		return &refusal{codeHeader, 3, []byte{typ},
			fmt.Sprintf("a message of the unknown type %d", typ)}
	}
	if length < lengths[typ].min || length > lengths[typ].max {
		return badLength
	}
	return nil
}

// messageReader cuts a stream into messages. It is owned by one goroutine.
type messageReader struct {
	r   *bufio.Reader
	buf []byte // as long as a message may be
}

func newMessageReader(r io.Reader) *messageReader {
	return &messageReader{r: bufio.NewReaderSize(r, 1<<16), buf: make([]byte, maxLength)}
}

// extend lets longer messages in from now on.
func (m *messageReader) extend() { m.buf = make([]byte, maxExtended) }

// next returns the next whole message, which is valid until the next call. A
// message that is not to be passed on comes with a *refusal and may be only a
// header.
func (m *messageReader) next() ([]byte, error) {
	header := m.buf[:headerLength]
	if _, err := io.ReadFull(m.r, header); err != nil {
		return nil, err
	}
	if r := screen(header, len(m.buf)); r != nil {
		return header, r
	}
	msg := m.buf[:binary.BigEndian.Uint16(header[16:])]
	if _, err := io.ReadFull(m.r, msg[headerLength:]); err != nil {
		return nil, err
	}
	return msg, nil
}
