package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/buoynet/buoy/api"
	"github.com/buoynet/buoy/internal/computenode"
	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/programme"
	"github.com/buoynet/buoy/internal/reconcile"
)

// imported is what the networks import, and the log of what has changed in it alone.
type imported struct {
	*reconcile.Changes
	*reconcile.Imports
}

// programmes is what compute nodes must do as the API needs it.
type programmes struct{ *programme.Followers }

func (p programmes) Follow(node, token string, floatingIPs, networks []string) (api.ProgrammeFollower, bool, error) {
	f, resumed, err := p.Followers.Follow(node, token, floatingIPs, networks)
	if err != nil {
		return nil, false, err // not a nil *programme.Follower
	}
	return f, resumed, nil
}

// nodeSessions is who lives as the API needs it, with errors that say what to answer.
type nodeSessions struct{ *computenode.Nodes }

func (n nodeSessions) Open(node, address, agent string) (api.NodeSession, error) {
	s, err := n.Nodes.Open(node, address, agent)
	if err != nil {
		return nil, nodeRefusal(node, err)
	}
	return nodeSession{s, node}, nil
}

type nodeSession struct {
	*computenode.Session
	node string
}

func (s nodeSession) Report(list []inventory.InterfaceReport, complete bool) error {
	return nodeRefusal(s.node, s.Session.Report(list, complete))
}

func (s nodeSession) Err() error { return nodeRefusal(s.node, s.Session.Err()) }

// nodeRefusal says what an error of a compute node's session means for its stream.
func nodeRefusal(node string, err error) error {
	refusal := &inventory.Error{Code: inventory.Aborted, Resource: node}
	switch {
	case errors.Is(err, computenode.ErrUnknown):
		return &inventory.Error{Code: inventory.NotFound, Reason: inventory.ReasonNotFound, Field: "compute_node", Resource: node, Message: node + " does not exist"}
	case errors.Is(err, computenode.ErrDeleted):
		refusal.Code, refusal.Reason = inventory.NotFound, inventory.ReasonNotFound
	case errors.Is(err, computenode.ErrReplaced):
		refusal.Reason = api.ReasonReplaced
	case errors.Is(err, computenode.ErrSilent):
		refusal.Reason = api.ReasonSilent
	case errors.Is(err, computenode.ErrStopping):
		return api.ErrStopping
	default:
		return err
	}
	refusal.Message = err.Error()
	return refusal
}

// listenForNodes binds the socket for compute nodes, if there is to be one, and reads what
// TLS needs there; nil when it is not wanted.
func listenForNodes(cfg config.ComputeNodes, log *slog.Logger) (listeners []api.Listener, tls *api.NodeTLS, err error) {
	if cfg.TLS() {
		if tls, err = api.NewNodeTLS(cfg.Certificate, cfg.Key, cfg.ClientCA, log); err != nil {
			return nil, nil, fmt.Errorf("compute_nodes: %w", err)
		}
	}
	if listeners, err = api.Listen(endpointsOf(cfg.Listen)...); err != nil {
		return nil, nil, fmt.Errorf("compute_nodes: %w", err)
	}
	return listeners, tls, nil
}

func endpointsOf(list []config.Endpoint) (endpoints []api.Endpoint) {
	for _, e := range list {
		endpoints = append(endpoints, e)
	}
	return endpoints
}
