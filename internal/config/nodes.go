package config

import "fmt"

// computeNodes validates where compute nodes connect to. What is left out altogether is
// no socket for them.
func (v *validation) computeNodes() (c ComputeNodes) {
	f := &v.file.ComputeNodes
	const section = "compute_nodes."
	if v.present(section + "listen") {
		c.Listen = unique(v, section+"listen", f.Listen, ParseNodeEndpoint)
	}
	if v.present(section+"certificate") || v.present(section+"key") || v.present(section+"client_ca") { // then all of them
		c.Certificate = single(v, section+"certificate", f.Certificate, parsePath)
		c.Key = single(v, section+"key", f.Key, parsePath)
		c.ClientCA = single(v, section+"client_ca", f.ClientCA, parsePath)
		return c
	}
	for i, e := range c.Listen {
		if e != (Endpoint{}) && !e.Local() {
			v.refuse(fmt.Sprintf("%slisten[%d]", section, i), fmt.Errorf("expected unix://PATH or a loopback address, got %q; "+
				"for other addresses set %[2]scertificate, %[2]skey and %[2]sclient_ca, by which compute nodes show who they are", e, section))
		}
	}
	return c
}
