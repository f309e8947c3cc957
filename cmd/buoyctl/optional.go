package main

import "strconv"

// optionalUint32 is a flag for a field that may be left out, where 0 is a value.
type optionalUint32 struct{ value **uint32 }

// Set implements pflag.Value.
func (o optionalUint32) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	v := uint32(n)
	*o.value = &v
	return err
}

// String implements pflag.Value.
func (o optionalUint32) String() string {
	if o.value == nil || *o.value == nil {
		return ""
	}
	return strconv.FormatUint(uint64(**o.value), 10)
}

// Type implements pflag.Value.
func (optionalUint32) Type() string { return "uint32" }

// optionalBool is a flag for a field that may be left out, where false is a value.
type optionalBool struct{ value **bool }

// Set implements pflag.Value.
func (o optionalBool) Set(text string) error {
	v, err := strconv.ParseBool(text)
	*o.value = &v
	return err
}

// String implements pflag.Value.
func (o optionalBool) String() string {
	if o.value == nil || *o.value == nil {
		return ""
	}
	return strconv.FormatBool(**o.value)
}

// Type implements pflag.Value.
func (optionalBool) Type() string { return "bool" }
