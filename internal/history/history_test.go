package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDifference(t *testing.T) {
	for _, tt := range []struct{ before, after, was, is string }{
		{`{"a":1,"b":[1,{"c":",}"}],"d":"\"x\""}`, `{"a":1,"b":[2,{"c":",}"}],"d":"\"x\""}`, `{"b":[1,{"c":",}"}]}`, `{"b":[2,{"c":",}"}]}`},
		{`{"a":1}`, `{"a":1,"b":2}`, `{}`, `{"b":2}`},
		{`{"a":1,"b":2,"c":3}`, `{"b":2,"c":4}`, `{"a":1,"c":3}`, `{"c":4}`},
		{`{}`, `{"a":"\\"}`, `{}`, `{"a":"\\"}`},
		{`{"a":1}`, `{"a":1}`, ``, ``},
		{`text`, `other`, `text`, `other`},
		{`{"a":1}`, ``, `{"a":1}`, ``},
		{``, `{"a":1}`, ``, `{"a":1}`},
	} {
		value := func(s string) []byte {
			if s == "" {
				return nil
			}
			return []byte(s)
		}
		if was, is := Difference(value(tt.before), value(tt.after)); was != tt.was || is != tt.is {
			t.Errorf("%s, %s: got %s, %s, want %s, %s", tt.before, tt.after, was, is, tt.was, tt.is)
		}
	}
}

// FuzzDifference: of two objects exactly the fields that differ are left.
func FuzzDifference(f *testing.F) {
	f.Add(`{"a":1,"b":[1,{"c":",}"}],"d":"\"x\""}`, `{"a":[],"d":"\"x\"","e":{"a":1}}`)
	f.Add(`{"a`, `{"a":}`)
	f.Fuzz(func(t *testing.T, one, other string) {
		addressIn([]byte(one))
		Difference([]byte(one), []byte(other))
		var values [2]map[string]any
		var texts [2][]byte
		for i, text := range []string{one, other} {
			if json.Unmarshal([]byte(text), &values[i]) != nil || values[i] == nil {
				return
			}
			texts[i], _ = json.Marshal(values[i])
		}
		was, is := Difference(texts[0], texts[1])
		for i, text := range []string{was, is} {
			want := map[string]any{}
			for name, v := range values[i] {
				if v2, ok := values[1-i][name]; !ok || !reflect.DeepEqual(v, v2) {
					want[name] = v
				}
			}
			var got map[string]any
			if text == "" {
				got = map[string]any{}
			} else if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%s and %s: %s is no JSON: %v", texts[0], texts[1], text, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s and %s: got %v, want %v", texts[0], texts[1], got, want)
			}
		}
		address, _ := values[0]["address"].(string)
		if got := addressIn(texts[0]); got != address && json.Valid([]byte(`"`+address+`"`)) && !strings.ContainsAny(address, `<>&`+"\u2028\u2029\u007f") && isPlain(address) {
			t.Fatalf("%s: the address is %q", texts[0], got)
		}
	})
}

func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' || r == '"' }) < 0
}

func sampleEvent() Event {
	return Event{Sequence: 7, Time: time.Date(2026, 3, 1, 3, 12, 9, 500, time.UTC), Kind: Changed, Subject: "projects/default/floatingIps/web-1",
		Part: "interface tap0", Address: "203.0.113.5", Names: []string{"a", "", "c"}, Count: 1 << 30,
		Author: Author{Who: "ann (uid 1000, pid 7)", Agent: "buoyctl/1.0", Project: "shop", Method: "FloatingIPs.Associate"},
		Before: `{}`, After: `{"associations":[]}`, Reason: strings.Repeat("because ", 100)}
}

func TestEncode(t *testing.T) {
	for _, e := range []Event{sampleEvent(), {Sequence: 1, Time: time.Unix(0, 0).UTC()}} {
		b := e.Encode([]byte("before"))[len("before"):]
		got, err := Decode(e.Sequence, b)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("got %+v, %v, want %+v", got, err, e)
		}
		if _, err := Decode(e.Sequence+1, b); !errors.Is(err, errDamaged) {
			t.Errorf("as another event: %v", err)
		}
		for i := range b {
			b[i] ^= 4
			if _, err := Decode(e.Sequence, b); !errors.Is(err, errDamaged) {
				t.Errorf("byte %d: %v", i, err)
			}
			b[i] ^= 4
		}
	}
	later := []byte{encoding + 1, 99, 1, 2, 3}
	later = append(later, 0, 0, 0, 0)
	s := sum(5, later[:5])
	later[5], later[6], later[7], later[8] = byte(s>>24), byte(s>>16), byte(s>>8), byte(s)
	if _, err := Decode(5, later); !errors.Is(err, ErrEncoding) {
		t.Errorf("of a later version: %v", err)
	}
}

// FuzzDecode: whatever has the right checksum is read or refused, and what is read is
// written as it was.
func FuzzDecode(f *testing.F) {
	e := sampleEvent()
	b := e.Encode(nil)
	f.Add(b[:len(b)-4])
	f.Add([]byte{1, 2, 0, 0, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, b []byte) {
		Decode(1, b)
		s := sum(1, b)
		e, err := Decode(1, append(b[:len(b):len(b)], byte(s>>24), byte(s>>16), byte(s>>8), byte(s)))
		if err != nil {
			return
		}
		again, err := Decode(1, e.Encode(nil))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("got %+v, %v, want %+v", again, err, e)
		}
	})
}

// TestGroups: a step with very many changes tells names alone, of one project and kind
// at a time.
func TestGroups(t *testing.T) {
	step := Step{Author: Author{Who: "ann"}}
	for i := range 2500 {
		c := Change{Key: fmt.Sprint(i), Name: fmt.Sprintf("projects/p%d/floatingIps/f%d", i%2, i), After: []byte("{}")}
		if i%5 == 0 {
			c.After = nil
		}
		step.Changes = append(step.Changes, c)
	}
	before := func(key string) []byte {
		switch {
		case strings.HasSuffix(key, "5"):
			return []byte(`{"a":1}`)
		case strings.HasSuffix(key, "1"):
			return []byte(`{}`) // nothing changes
		default:
			return nil
		}
	}
	named := map[Kind]int{}
	for _, e := range step.Events(time.Now(), before) {
		for _, name := range e.Names {
			if ProjectOf(name) != ProjectOf(e.Names[0]) {
				t.Errorf("%s and %s in one group", name, e.Names[0])
			}
		}
		if e.Partial() || e.Who != "ann" || len(e.Names) > maxNamed || e.Before+e.After+e.Subject != "" {
			t.Errorf("got %+v", e)
		}
		named[e.Kind] += len(e.Names)
	}
	if want := map[Kind]int{Created: 1750, Deleted: 250}; !reflect.DeepEqual(named, want) {
		t.Errorf("got %v, want %v", named, want)
	}
	step.Changes = step.Changes[:MaxSingle]
	if n := len(step.Events(time.Now(), before)); n != 800 {
		t.Errorf("%d events", n)
	}
}

func TestMatcher(t *testing.T) {
	web := Event{Subject: "projects/default/floatingIps/web-1", Address: "203.0.113.5"}
	node := Event{Subject: "computeNodes/cmp1", Address: "10.0.0.11"}
	associated := web
	associated.After = `{"associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0"}]}`
	all := Event{Names: []string{"projects/default/floatingIps/web-2", "projects/default/floatingIps/web-3"}, Count: 2}
	some := all
	some.Count = 5
	events := []Event{web, node, associated, all, some, {Kind: Started}}
	for _, tt := range []struct {
		text string
		also []string
		want []int
	}{
		{"web-1", nil, []int{0, 2}},
		{"web-1", []string{web.Subject}, []int{0, 2, 4}},
		{"projects/default/floatingIps/web-1", nil, []int{0, 2, 4}},
		{"projects/other/floatingIps/web-1", nil, []int{4}},
		{"203.0.113.5", nil, []int{0, 2}},
		{"10.0.0.11", nil, []int{1}},
		{"cmp1", nil, []int{1, 2}},
		{"computeNodes/cmp1", nil, []int{1, 2}},
		{"cmp", nil, nil},
		{"neighbors/cmp1", nil, nil},
		{"web-3", nil, []int{3, 4}},
		{"", nil, nil},
	} {
		var got []int
		m := NewMatcher(tt.text, tt.also)
		for i := range events {
			if m.Matches(&events[i]) {
				got = append(got, i)
			}
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: got %v, want %v", tt.text, got, tt.want)
		}
	}
}
