package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/buoynet/buoy/internal/neighbor"
)

// exam is an Examination while it is made.
type exam struct {
	Snapshot
	findings []Finding
	texts    [areas]string     // what was looked at
	well     [areas]string     // what is to be said behind it if nothing was found there
	carried  neighbor.Families // of floating IPs that have associations
}

// Examine looks at everything.
func Examine(s Snapshot) Examination {
	e := &exam{Snapshot: s}
	e.floatingIPs() // first: it says which families there are
	e.configuration()
	e.clock()
	e.ports()
	e.disk()
	e.sessions()
	e.pools()
	e.computeNodes()
	e.routes()
	return e.conclude()
}

func (e *exam) found(f Finding) {
	f.Count = max(f.Count, 1)
	e.findings = append(e.findings, f)
}

// conclude sorts the findings and sums them up.
func (e *exam) conclude() (x Examination) {
	slices.SortStableFunc(e.findings, compare)
	x.Findings = folded(e.findings)
	worst, count := [areas]Severity{}, [Error + 1]int{}
	for i := range x.Findings {
		f := &x.Findings[i]
		worst[f.Area] = max(worst[f.Area], f.Severity)
		count[f.Severity]++
	}
	worst[FloatingIPs] = max(worst[FloatingIPs], worst[Targets]) // these are withheld, too
	for a := range Area(areas) {
		if worst[a] == Fine {
			e.texts[a] += e.well[a]
		}
		x.Examined = append(x.Examined, Examined{a, worst[a], e.texts[a]})
	}
	x.Healthy = count[Error]+count[Warning] == 0
	x.Summary = "healthy as far as Buoy can see"
	if !x.Healthy {
		var parts []string
		for _, s := range []Severity{Error, Warning} {
			if n := count[s]; n > 0 {
				parts = append(parts, number(n, [...]string{Error: "error", Warning: "warning"}[s]))
			}
		}
		x.Summary = "unhealthy: " + strings.Join(parts, ", ")
	}
	return x
}

func compare(a, b Finding) int {
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Area, b.Area), cmp.Compare(a.ID, b.ID))
}

// most is how many findings of one kind are listed one by one.
const most = 10

// examples is how many names a finding has.
const examples = 3

// folded makes one finding of those of a kind if there are many: an answer must not be
// as long as the inventory.
func folded(list []Finding) (short []Finding) {
	type kind struct {
		id       string
		severity Severity
	}
	count, at := map[kind]int{}, map[kind]int{}
	for i := range list {
		count[kind{list[i].ID, list[i].Severity}]++
	}
	for _, f := range list {
		k := kind{f.ID, f.Severity}
		if count[k] <= most {
			short = append(short, f)
			continue
		}
		names := f.Examples
		if len(names) == 0 {
			names = []string{f.Subject}
		}
		i, known := at[k]
		if !known {
			at[k] = len(short)
			f.Cause = fmt.Sprintf("%d alike; %s: %s", count[k], f.Subject, f.Cause)
			f.Subject, f.Examples = pattern(f.Subject), slices.Clone(names)
			short = append(short, f)
			continue
		}
		one := &short[i]
		one.Count += f.Count
		one.Examples = append(one.Examples, names[:min(len(names), max(0, examples-len(one.Examples)))]...)
		if one.Since.IsZero() || !f.Since.IsZero() && f.Since.Before(one.Since) {
			one.Since = f.Since
		}
	}
	slices.SortStableFunc(short, compare)
	return short
}

// pattern stands for all resources of a kind: of computeNodes/cmp1 it is computeNodes/*.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i := 1; i < len(parts); i += 2 {
		parts[i] = "*"
	}
	return strings.Join(parts, "/")
}

// number writes how many things there are.
func number[N int | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
