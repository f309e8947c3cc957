package inventory

import (
	"errors"
	"net/netip"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// CreateNeighbor adds a neighbor. The settings are complete: defaults are
// filled in by the caller.
type CreateNeighbor struct {
	Settings neighbor.Settings
}

func (c CreateNeighbor) plan(s moment) ([]Mutation, error) {
	n := Neighbor{Settings: c.Settings}
	name := n.ResourceName()
	if err := checkName("name", name, neighbors); err != nil {
		return nil, err
	}
	if held, ok := s.Neighbor(name); ok {
		where := ""
		if held.ReadOnly {
			where = " in the configuration file"
		}
		return nil, exists(ReasonExists, "name", name, "%s exists%s", name, where)
	}
	if err := checkNeighbor(s.State, &n); err != nil {
		return nil, err
	}
	return []Mutation{
		put(neighborPrefix+name, Absent, n),
		claim(neighborAddrPref+n.Address.String(), name),
	}, nil
}

// UpdateNeighbor changes a neighbor; its session is opened anew, unless only the
// policy changes. What is nil stays as it is.
type UpdateNeighbor struct {
	Name     string // resource name
	Address  *netip.Addr
	Port     *uint16
	AS       *uint32
	Families *neighbor.Families
	Passive  *bool

	LocalAddress  *netip.Addr
	HoldTime      *uint16
	KeepaliveTime *uint16
	TTLSecurity   *uint8
	Multihop      *uint8
	MD5Key        *neighbor.KeySource

	WithoutRestart *neighbor.Families // those without graceful restart
	RestartTime    *uint16
	LongLivedTime  *uint32 // 0 ends LongLived, too, unless that is given
	LongLived      *neighbor.Families

	Encapsulations *vrf.Encapsulations
	MaxAdvertised  *uint32
	MaxReceived    *uint32

	AcceptPrefixes    *neighbor.PrefixFilter
	AcceptTargets     *routetarget.Set
	MaxReceivedAction *neighbor.MaxReceivedAction
}

func (c UpdateNeighbor) plan(s moment) ([]Mutation, error) {
	old, err := storedNeighbor(s.State, c.Name)
	if err != nil {
		return nil, err
	}
	n := *old
	set(&n.Address, c.Address)
	set(&n.Port, c.Port)
	set(&n.AS, c.AS)
	set(&n.Families, c.Families)
	set(&n.Passive, c.Passive)
	set(&n.LocalAddress, c.LocalAddress)
	set(&n.HoldTime, c.HoldTime)
	set(&n.KeepaliveTime, c.KeepaliveTime)
	set(&n.TTLSecurity, c.TTLSecurity)
	set(&n.Multihop, c.Multihop)
	set(&n.MD5Key, c.MD5Key)
	c.setRestart(&n.Restart)
	set(&n.Encapsulations, c.Encapsulations)
	set(&n.MaxAdvertised, c.MaxAdvertised)
	set(&n.MaxReceived, c.MaxReceived)
	set(&n.AcceptPrefixes, c.AcceptPrefixes)
	set(&n.AcceptTargets, c.AcceptTargets)
	set(&n.MaxReceivedAction, c.MaxReceivedAction)
	return s.replaceNeighbor(old, n)
}

// replaceNeighbor puts a neighbor in the place of the one that it was.
func (s moment) replaceNeighbor(old *Neighbor, n Neighbor) ([]Mutation, error) {
	if err := checkNeighbor(s.State, &n); err != nil {
		return nil, err
	}
	name := n.ResourceName()
	mutations := []Mutation{put(neighborPrefix+name, old.Version, n)}
	if n.Address != old.Address {
		mutations = append(mutations, free(neighborAddrPref+old.Address.String()), claim(neighborAddrPref+n.Address.String(), name))
	}
	return mutations, nil
}

func (c UpdateNeighbor) setRestart(r *neighbor.RestartSettings) {
	set(&r.Without, c.WithoutRestart)
	set(&r.Time, c.RestartTime)
	set(&r.LongLivedTime, c.LongLivedTime)
	if c.LongLivedTime != nil && *c.LongLivedTime == 0 {
		r.LongLived = 0
	}
	set(&r.LongLived, c.LongLived)
}

// DeleteNeighbor removes a neighbor; its session ends.
type DeleteNeighbor struct {
	Name string // resource name
}

func (c DeleteNeighbor) plan(s moment) ([]Mutation, error) {
	n, err := storedNeighbor(s.State, c.Name)
	if err != nil {
		return nil, err
	}
	return []Mutation{
		remove(neighborPrefix+c.Name, n.Version),
		free(neighborAddrPref + n.Address.String()),
	}, nil
}

// storedNeighbor finds a neighbor that may be changed here.
func storedNeighbor(s *State, name string) (*Neighbor, error) {
	n, ok := s.Neighbor(name)
	if !ok {
		return nil, notFound("name", name)
	}
	if n.ReadOnly {
		return nil, precondition(ReasonReadOnly, "name", name,
			"%s is defined in the configuration file; change it there and restart the daemon", name)
	}
	return n, nil
}

func checkNeighbor(s *State, n *Neighbor) error {
	var field *neighbor.FieldError
	if err := n.Settings.Validate(); errors.As(err, &field) {
		return invalid(ReasonInvalid, field.Field, "%s", field.Problem)
	}
	if held, ok := s.neighborAddrs.get(n.Address); ok && held.Name != n.Name {
		return exists(ReasonAddressTaken, "address", held.ResourceName(), "%s is the address of %s", n.Address, held.ResourceName())
	}
	return nil
}
