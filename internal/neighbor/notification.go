package neighbor

import (
	"fmt"
	"unicode/utf8"
)

// notificationNames names the error codes and subcodes of the IANA registry
// (RFC 4271 §4.5, RFC 4486, RFC 5492, RFC 6608, RFC 7313, RFC 8538, RFC 9384).
var notificationNames = map[uint8]struct {
	name     string
	subcodes map[uint8]string
}{
	1: {"Message Header Error", map[uint8]string{
		1: "Connection Not Synchronized", 2: "Bad Message Length", 3: "Bad Message Type"}},
	2: {"OPEN Message Error", map[uint8]string{
		1: "Unsupported Version Number", 2: "Bad Peer AS", 3: "Bad BGP Identifier",
		4: "Unsupported Optional Parameter", 6: "Unacceptable Hold Time",
		7: "Unsupported Capability", 11: "Role Mismatch"}},
	3: {"UPDATE Message Error", map[uint8]string{
		1: "Malformed Attribute List", 2: "Unrecognized Well-known Attribute",
		3: "Missing Well-known Attribute", 4: "Attribute Flags Error",
		5: "Attribute Length Error", 6: "Invalid ORIGIN Attribute",
		8: "Invalid NEXT_HOP Attribute", 9: "Optional Attribute Error",
		10: "Invalid Network Field", 11: "Malformed AS_PATH"}},
	4: {"Hold Timer Expired", nil},
	5: {"Finite State Machine Error", map[uint8]string{
		1: "Unexpected Message in OpenSent", 2: "Unexpected Message in OpenConfirm",
		3: "Unexpected Message in Established"}},
	6: {"Cease", map[uint8]string{
		1: "Maximum Number of Prefixes Reached", 2: "Administrative Shutdown",
		3: "Peer De-configured", 4: "Administrative Reset", 5: "Connection Rejected",
		6: "Other Configuration Change", 7: "Connection Collision Resolution",
		8: "Out of Resources", 9: "Hard Reset", 10: "BFD Down"}},
	7: {"ROUTE-REFRESH Message Error", map[uint8]string{1: "Invalid Message Length"}},
	8: {"Send Hold Timer Expired", nil},
}

// String returns the codes with the registry's names, and the text of an
// administrative shutdown (RFC 9003).
func (n Notification) String() string {
	text := fmt.Sprintf("%d/%d", n.Code, n.Subcode)
	if e, ok := notificationNames[n.Code]; ok {
		text += " " + e.name
		if sub, ok := e.subcodes[n.Subcode]; ok {
			text += ", " + sub
		}
	}
	if inner, ok := n.encapsulated(); ok {
		return text + ", with " + inner.String()
	}
	if message := n.Communication(); message != "" {
		text += fmt.Sprintf(": %q", message)
	}
	return text
}

// encapsulated returns the NOTIFICATION that a Hard Reset carries (RFC 8538 §3).
func (n Notification) encapsulated() (Notification, bool) {
	if n.Code != 6 || n.Subcode != 9 || len(n.Data) < 2 || n.Data[0] == 6 && n.Data[1] == 9 {
		return Notification{}, false
	}
	return Notification{Code: n.Data[0], Subcode: n.Data[1], Data: n.Data[2:], Time: n.Time}, true
}

// Communication returns the text that came with an administrative shutdown or
// reset: one octet of length, then UTF-8 (RFC 9003 §2).
func (n Notification) Communication() string {
	if inner, ok := n.encapsulated(); ok {
		return inner.Communication()
	}
	if n.Code != 6 || n.Subcode != 2 && n.Subcode != 4 || len(n.Data) == 0 {
		return ""
	}
	length := int(n.Data[0])
	if length > len(n.Data)-1 || !utf8.Valid(n.Data[1:1+length]) {
		return ""
	}
	return string(n.Data[1 : 1+length])
}
