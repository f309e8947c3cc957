package buoyv1

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// FieldText writes a value of a field for a person, or one of its values if it is a list:
// messages as {field: value, …}, without the fields that are not set.
func FieldText(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch {
	case f.Message() != nil:
		var parts []string
		fields := f.Message().Fields()
		for i := range fields.Len() {
			if inner := fields.Get(i); v.Message().Has(inner) {
				parts = append(parts, fmt.Sprintf("%s: %s", inner.Name(), FieldText(inner, v.Message().Get(inner))))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case f.Enum() != nil:
		if value := f.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
	}
	return v.String()
}
