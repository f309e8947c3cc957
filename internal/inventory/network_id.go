package inventory

import "github.com/buoynet/buoy/routetarget"

// identify gives a new network an id, or checks the one that the caller has chosen,
// and says where the search for the next one begins.
func (s *State) identify(n *Network, next *Global) error {
	if n.ID != 0 {
		if next.NextNetworkID <= n.ID && n.ID < routetarget.MaxNetworkID { // never back, or others would not rest
			next.NextNetworkID = n.ID + 1
		}
		return s.checkNetworkID(n.ID)
	}
	id, ok := s.freeNetworkID()
	if !ok {
		return precondition(ReasonExhausted, "", "", "all %d network ids are in use; delete a network first", routetarget.MaxNetworkID)
	}
	n.ID = id
	next.NextNetworkID = id%routetarget.MaxNetworkID + 1
	return nil
}

// checkNetworkID checks an id that the caller has chosen: that of a network that
// comes back. Whether it has rested is the caller's to know.
func (s *State) checkNetworkID(id uint16) error {
	if id > routetarget.MaxNetworkID {
		return invalid(ReasonInvalid, "id", "expected 1..%d, got %d", routetarget.MaxNetworkID, id)
	}
	if held, taken := s.NetworkByID(id); taken {
		return exists(ReasonIDTaken, "id", held.Name, "%d is the id of %s; leave it out to get a free one", id, held.Name)
	}
	return nil
}

// freeNetworkID returns the first free id at or after the cursor, wrapping, so
// that an id rests for as long as possible before it is used again.
func (s *State) freeNetworkID() (uint16, bool) {
	id := max(s.global.NextNetworkID, 1)
	for range routetarget.MaxNetworkID {
		if _, taken := s.NetworkByID(id); !taken {
			return id, true
		}
		id = id%routetarget.MaxNetworkID + 1
	}
	return 0, false
}
