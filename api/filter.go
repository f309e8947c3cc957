package api

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// filter is what a list request asks for, over the fields of what is listed: a
// part of AIP-160. Nil takes everything.
//
//	FIELD OPERATOR VALUE {AND FIELD OPERATOR VALUE}
//
// The operators are = != < > <= >= and :, which says that a text contains
// another one. A field that repeats has a value if one of its elements has.
type filter []condition

// condition compares one field.
type condition struct {
	path     []protoreflect.FieldDescriptor
	operator string
	value    string
}

// filter reads a filter over messages like m.
func (f *fields) filter(text string, m proto.Message) filter {
	words, err := filterWords(text)
	if err != nil {
		f.fail("filter", err)
		return nil
	}
	var list filter
	for len(words) > 0 {
		if len(list) > 0 {
			if words[0].quoted || !strings.EqualFold(words[0].text, "AND") {
				f.fail("filter", fmt.Errorf("expected AND between two conditions, got %q", words[0].text))
				return nil
			}
			words = words[1:]
		}
		if len(words) < 3 || words[0].quoted || !slices.Contains(filterOperators, words[1].text) || words[1].quoted {
			f.fail("filter", fmt.Errorf("expected FIELD, an operator (%s) and a value, got %q", strings.Join(filterOperators, " "), text))
			return nil
		}
		c, err := newCondition(m.ProtoReflect().Descriptor(), words[0].text, words[1].text, words[2].text)
		if err != nil {
			f.fail("filter", err)
			return nil
		}
		list, words = append(list, c), words[3:]
	}
	return list
}

var filterOperators = []string{"=", "!=", "<", ">", "<=", ">=", ":"}

// matches reports whether a message fulfils every condition.
func (f filter) matches(m proto.Message) bool {
	for _, c := range f {
		if c.holds(m.ProtoReflect(), c.path) == (c.operator == "!=") {
			return false
		}
	}
	return true
}

func newCondition(d protoreflect.MessageDescriptor, path, operator, value string) (c condition, err error) {
	c = condition{operator: operator, value: value}
	for i, name := range strings.Split(path, ".") {
		if i > 0 {
			d = c.path[i-1].Message()
		}
		if d == nil {
			return c, fmt.Errorf("%s has no fields of its own", c.path[i-1].Name())
		}
		field := d.Fields().ByName(protoreflect.Name(name))
		if field == nil || field.IsMap() {
			return c, fmt.Errorf("expected one of %s, got %q", strings.Join(comparable(d), ", "), name)
		}
		c.path = append(c.path, field)
	}
	return c, c.check(c.path[len(c.path)-1])
}

// comparable lists the fields of a message that a filter may name.
func comparable(d protoreflect.MessageDescriptor) (names []string) {
	for i := range d.Fields().Len() {
		if field := d.Fields().Get(i); !field.IsMap() {
			names = append(names, string(field.Name()))
		}
	}
	return names
}

// check reports whether the value is one of a field.
func (c *condition) check(field protoreflect.FieldDescriptor) error {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.BytesKind:
		return fmt.Errorf("%s has no value that can be compared; expected one of its fields, %s.FIELD", field.Name(), field.Name())
	case protoreflect.StringKind:
		return nil
	case protoreflect.EnumKind:
		c.value = strings.ToUpper(strings.ReplaceAll(c.value, "-", "_"))
		if field.Enum().Values().ByName(protoreflect.Name(c.value)) == nil {
			return fmt.Errorf("%s has no value %s", field.Name(), c.value)
		}
	case protoreflect.BoolKind:
		if c.value != "true" && c.value != "false" {
			return fmt.Errorf("expected %s to be compared with true or false, got %q", field.Name(), c.value)
		}
	default:
		if _, err := strconv.ParseFloat(c.value, 64); err != nil {
			return fmt.Errorf("expected %s to be compared with a number, got %q", field.Name(), c.value)
		}
		if c.operator == ":" {
			return fmt.Errorf("%s is a number and contains nothing; expected =", field.Name())
		}
		return nil
	}
	if c.operator != "=" && c.operator != "!=" {
		return fmt.Errorf("expected = or != for %s, got %s", field.Name(), c.operator)
	}
	return nil
}

// holds reports whether a value at the path is as the condition says, != taken as
// =.
func (c *condition) holds(m protoreflect.Message, path []protoreflect.FieldDescriptor) bool {
	field, rest := path[0], path[1:]
	v := m.Get(field)
	if !field.IsList() {
		return c.holdsFor(field, v, rest)
	}
	for i := range v.List().Len() {
		if c.holdsFor(field, v.List().Get(i), rest) {
			return true
		}
	}
	return false
}

func (c *condition) holdsFor(field protoreflect.FieldDescriptor, v protoreflect.Value, rest []protoreflect.FieldDescriptor) bool {
	if len(rest) > 0 {
		return c.holds(v.Message(), rest)
	}
	switch field.Kind() {
	case protoreflect.StringKind:
		if c.operator == ":" {
			return strings.Contains(v.String(), c.value)
		}
		return c.compares(strings.Compare(v.String(), c.value))
	case protoreflect.EnumKind:
		value := field.Enum().Values().ByNumber(v.Enum())
		return value != nil && string(value.Name()) == c.value
	case protoreflect.BoolKind:
		return strconv.FormatBool(v.Bool()) == c.value
	default:
		want, _ := strconv.ParseFloat(c.value, 64)
		got, _ := strconv.ParseFloat(v.String(), 64)
		return c.compares(cmp.Compare(got, want))
	}
}

func (c *condition) compares(order int) bool {
	switch c.operator {
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	case ">=":
		return order >= 0
	default:
		return order == 0
	}
}

// word is a part of a filter.
type word struct {
	text   string
	quoted bool
}

// maxFilter is how long a filter may be.
const maxFilter = 4096

// filterWords splits a filter at blanks and around operators. What is in quotes
// stays together.
func filterWords(text string) (words []word, err error) {
	if len(text) > maxFilter {
		return nil, fmt.Errorf("expected at most %d characters, got %d", maxFilter, len(text))
	}
	const special = "=!<>:"
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t':
			i++
		case c == '"' || c == '\'':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return nil, errors.New("a quoted text has no end")
			}
			words = append(words, word{text[i+1 : i+1+end], true})
			i += end + 2
		case strings.IndexByte(special, c) >= 0 && expectsOperator(words):
			n := 1
			if i+1 < len(text) && text[i+1] == '=' && c != '=' && c != ':' {
				n = 2
			}
			words = append(words, word{text: text[i : i+n]})
			i += n
		default:
			stop := " \t"
			if !expectsValue(words) { // addresses and targets have colons
				stop += special
			}
			n := strings.IndexAny(text[i:], stop)
			if n < 0 {
				n = len(text) - i
			}
			n = max(n, 1)
			words = append(words, word{text: text[i : i+n]})
			i += n
		}
	}
	return words, nil
}

// expectsOperator and expectsValue tell what comes next, by what is there: each
// condition is three words, and AND stands between them.
func expectsOperator(words []word) bool { return len(words)%4 == 1 }

func expectsValue(words []word) bool { return len(words)%4 == 2 }
