package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// enum is one of the API.
type enum interface {
	~int32
	protoreflect.Enum
	fmt.Stringer
}

// word writes a value of an enum as flags and tables do: LAST_TWO is last-two.
func word(value fmt.Stringer) string {
	return strings.ToLower(strings.ReplaceAll(value.String(), "_", "-"))
}

// choice is a flag that takes one of the values of an enum. Zero stands for a
// flag that was not given.
type choice[E enum] struct{ value *E }

// Set implements pflag.Value.
func (c choice[E]) Set(text string) error {
	for _, v := range valuesOf[E]() {
		if word(v) == text {
			*c.value = v
			return nil
		}
	}
	return fmt.Errorf("expected %s", c.Type())
}

// String implements pflag.Value.
func (c choice[E]) String() string {
	if c.value == nil || *c.value == 0 {
		return ""
	}
	return word(*c.value)
}

// Type implements pflag.Value: it is what the flag takes.
func (c choice[E]) Type() string {
	var words []string
	for _, v := range valuesOf[E]() {
		words = append(words, word(v))
	}
	return strings.Join(words, "|")
}

// valuesOf lists the values of an enum that mean something.
func valuesOf[E enum]() (list []E) {
	values := E(0).Descriptor().Values()
	for i := range values.Len() {
		if v := E(values.Get(i).Number()); v != 0 {
			list = append(list, v)
		}
	}
	return list
}
