package wire

import (
	"encoding/binary"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// message puts a header before a body.
func message(typ byte, body ...byte) []byte {
	msg := make([]byte, headerLength, headerLength+len(body))
	for i := range 16 {
		msg[i] = 0xff
	}
	binary.BigEndian.PutUint16(msg[16:], uint16(headerLength+len(body)))
	msg[18] = typ
	return append(msg, body...)
}

func readNotification(msg []byte) neighbor.Notification {
	return neighbor.Notification{
		Code:    msg[19],
		Subcode: msg[20],
		Data:    append([]byte(nil), msg[21:]...),
		Time:    time.Now(),
	}
}
