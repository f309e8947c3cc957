package inventory

import (
	"testing"
)

func TestUpdateFloatingIP(t *testing.T) {
	w := floating(t)
	w.do(associate(web, cmp1, "tap0", 100))
	const head = `put fip/projects/p/floatingIps/web@8 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.0.5","label":100}]`
	w.planned("nothing", UpdateFloatingIP{Name: web}, head+`}`)
	w.planned("both", UpdateFloatingIP{Name: web, Direction: ptr(Ingress), PortMappings: &[]PortMapping{{UDP, 53, 5353}, {TCP, 53, 53}}},
		head+`,"direction":"ingress","port_mappings":[{"protocol":"udp","port":53,"fixed_port":5353},{"protocol":"tcp","port":53,"fixed_port":53}]}`)
	w.do(UpdateFloatingIP{Name: web, Direction: ptr(Egress), PortMappings: &[]PortMapping{{SCTP, 1, 65535}}})
	before, _ := w.state.FloatingIP(web)
	if before.Direction != Egress || len(before.Associations) != 1 || len(w.state.RoutesOf(before)) != 1 {
		t.Errorf("got %+v", before)
	}
	w.do(UpdateFloatingIP{Name: web, Direction: ptr(Both), PortMappings: &[]PortMapping{}}) // as it was
	w.planned("as it was", UpdateFloatingIP{Name: web}, `put fip/projects/p/floatingIps/web@10 {`+head[len(`put fip/projects/p/floatingIps/web@8 {`):]+`}`)
	w.refused("unknown", UpdateFloatingIP{Name: fip("none")}, Error{NotFound, ReasonNotFound, "name", fip("none"), fip("none") + " does not exist"})
}

func TestTrafficRefusals(t *testing.T) {
	w := floating(t)
	var many []PortMapping
	for i := range 257 {
		many = append(many, PortMapping{TCP, uint16(i + 1), 80})
	}
	for _, tt := range []struct {
		name      string
		direction Direction
		mappings  []PortMapping
		want      Error
	}{
		{"direction", 3, nil, Error{InvalidArgument, ReasonInvalid, "direction", "", "expected both, ingress, egress"}},
		{"protocol", Both, []PortMapping{{3, 80, 80}}, Error{InvalidArgument, ReasonInvalid, "port_mappings", "", "expected the protocol tcp, udp, sctp"}},
		{"port", Both, []PortMapping{{TCP, 80, 80}, {TCP, 0, 80}}, Error{InvalidArgument, ReasonInvalid, "port_mappings", "", "expected ports 1..65535, got 0:80"}},
		{"fixed port", Both, []PortMapping{{TCP, 80, 0}}, Error{InvalidArgument, ReasonInvalid, "port_mappings", "", "expected ports 1..65535, got 80:0"}},
		{"twice", Egress, []PortMapping{{TCP, 80, 80}, {UDP, 80, 80}, {TCP, 80, 81}}, Error{InvalidArgument, ReasonInvalid, "port_mappings", "", "port 80 of tcp is mapped twice"}},
		{"many", Both, many, Error{InvalidArgument, ReasonInvalid, "port_mappings", "", "expected at most 256, got 257"}},
	} {
		w.refused("allocate: "+tt.name, Allocate{Name: fip("x"), Network: public, Direction: tt.direction, PortMappings: tt.mappings}, tt.want)
		w.refused("update: "+tt.name, UpdateFloatingIP{Name: web, Direction: &tt.direction, PortMappings: &tt.mappings}, tt.want)
	}
	w.do(UpdateFloatingIP{Name: web, PortMappings: ptr(many[:256])},
		Allocate{Name: fip("x"), Network: public, Direction: Egress, PortMappings: []PortMapping{{TCP, 1, 65535}, {TCP, 65535, 1}, {SCTP, 1, 1}}})
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
}

// TestEnums reads back what is printed.
func TestEnums(t *testing.T) {
	for i := range Direction(3) {
		if got, err := ParseDirection(i.String()); err != nil || got != i {
			t.Errorf("%s: got %s, %v", i, got, err)
		}
	}
	for i := range Protocol(3) {
		if got, err := ParseProtocol(i.String()); err != nil || got != i {
			t.Errorf("%s: got %s, %v", i, got, err)
		}
	}
	for i := range Scope(4) {
		var got Scope
		if err := got.UnmarshalText([]byte(i.String())); err != nil || got != i {
			t.Errorf("%s: got %s, %v", i, got, err)
		}
	}
	for i := range ReservedHosts(3) {
		var got ReservedHosts
		if err := got.UnmarshalText([]byte(i.String())); err != nil || got != i {
			t.Errorf("%s: got %s, %v", i, got, err)
		}
	}
	if got := Direction(9).String(); got != "9" {
		t.Errorf("got %q", got)
	}
	for text, want := range map[string]string{"": `expected both, ingress, egress, got ""`, "Both": `expected both, ingress, egress, got "Both"`} {
		if _, err := ParseDirection(text); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := ParseProtocol("icmp"); err == nil || err.Error() != `expected tcp, udp, sctp, got "icmp"` {
		t.Errorf("got %v", err)
	}
}
