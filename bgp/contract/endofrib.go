package contract

import (
	"fmt"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

// endOfRIBEmpty: a neighbor learns that there is nothing, once.
func endOfRIBEmpty(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	r.has()
	w.advertise(web4)
	r.told(plus(web4))
	w.withdraw(web4)
	r.told(minus(web4))
	w.nothingElse(r)
}

// endOfRIBAfterRoutes: End-of-RIB comes once for each family, and after all of
// its routes, also when they are many and change meanwhile.
func endOfRIBAfterRoutes(w *world) {
	routes := many(10_000)
	w.advertise(routes...)
	r := w.record(w.config(vpn...))
	w.tell(r.settings)
	for i := range 100 {
		routes[i].Label += 5
	}
	w.advertise(routes[:100]...)
	w.eventually("the ends", func() error {
		if n := len(endsIn(r.events())); n != 2 {
			return fmt.Errorf("%d so far", n)
		}
		return nil
	})
	r.keeps(routes...)
	r.has(routes...)
	complete, told := map[lab.Family]bool{}, map[string]bool{}
	for _, e := range r.events() {
		key := e.Route.Key()
		if e.EndOfRIB {
			complete[e.Family] = true
		} else if complete[e.Family] && !told[key] {
			w.Errorf("End-of-RIB came before %s", e)
		}
		told[key] = true
	}
	r.seen = len(r.events())
	w.nothingElse(r)
	if ends := endsIn(r.events()); len(ends) != 2 || ends[0].Family == ends[1].Family {
		w.Errorf("the ends are %v", ends)
	}
}

func endsIn(events []lab.Event) (list []lab.Event) {
	for _, e := range events {
		if e.EndOfRIB {
			list = append(list, e)
		}
	}
	return list
}

// endOfRIBEachSession: a new session has ends of its own.
func endOfRIBEachSession(w *world) {
	w.advertise(web4)
	c := w.config(vpn...)
	c.Active = true
	r := w.record(c)
	r.added()
	for session := range uint64(3) {
		r.await("the session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == session+1 })
		r.told(plus(web4))
		r.toldEnds()
		w.nothingElse(r)
		w.must(r.Reset())
	}
}
