package history

import "bytes"

// field is one of a JSON object: the name with its quotes, and the value.
type field struct{ name, value []byte }

// fieldsOf splits a JSON object without blanks, as encoding/json writes it. It reports
// false for what is none.
func fieldsOf(object []byte, into []field) (list []field, ok bool) {
	list = into
	if len(object) < 2 || object[0] != '{' || object[len(object)-1] != '}' {
		return list, false
	}
	rest := object[1 : len(object)-1]
	for len(rest) > 0 {
		name := valueEnd(rest)
		if rest[0] != '"' || name >= len(rest) || rest[name] != ':' {
			return list, false
		}
		value := valueEnd(rest[name+1:])
		if value == 0 {
			return list, false
		}
		value += name + 1
		list = append(list, field{rest[:name], rest[name+1 : value]})
		if value == len(rest) {
			break
		}
		if rest[value] != ',' || value+1 == len(rest) {
			return list, false
		}
		rest = rest[value+1:]
	}
	return list, true
}

// valueEnd returns where the first value in a text ends: before a comma or a colon that
// is in none.
func valueEnd(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case (c == ',' || c == ':') && depth == 0:
			return i
		}
	}
	return len(text)
}

// Difference returns two JSON objects with the fields alone that differ, or that only
// one of them has. What is nil is not there, and what is equal differs in nothing:
// then both are empty.
func Difference(before, after []byte) (was, is string) {
	if before == nil || after == nil || bytes.Equal(before, after) {
		if bytes.Equal(before, after) {
			return "", ""
		}
		return string(before), string(after)
	}
	var room [2][32]field
	old, ok := fieldsOf(before, room[0][:0])
	new, also := fieldsOf(after, room[1][:0])
	if !ok || !also {
		return string(before), string(after)
	}
	return only(old, new), only(new, old)
}

// only writes an object of the fields that another one has not, or otherwise.
func only(list, other []field) string {
	b := []byte{'{'}
	for i, f := range list {
		if i < len(other) && bytes.Equal(f.name, other[i].name) { // the rule: the fields are in one order
			if bytes.Equal(f.value, other[i].value) {
				continue
			}
		} else if value := find(other, f.name); value != nil && bytes.Equal(f.value, value) {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, f.name...), ':'), f.value...)
	}
	return string(append(b, '}'))
}

func find(list []field, name []byte) []byte {
	for _, f := range list {
		if bytes.Equal(f.name, name) {
			return f.value
		}
	}
	return nil
}

// addressIn returns the field "address" of an object, if it is a text.
func addressIn(object []byte) string {
	var room [32]field
	list, _ := fieldsOf(object, room[:0])
	value := find(list, []byte(`"address"`))
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	return string(value[1 : len(value)-1])
}
