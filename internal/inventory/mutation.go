package inventory

// Mutation is one change of the store together with what must hold for it. A
// list of mutations is applied as a whole or not at all.
type Mutation struct {
	Op     Op
	Key    string
	Expect Version
	Value  []byte // for Put

	resource any // what Value says, so that a Draft need not read it again
}

// Op says what a Mutation does.
type Op uint8

// The operations. All conditions are evaluated before anything is written.
const (
	Put         Op = iota // write Value, if the key has the expected version
	Delete                // remove the key, if it has the expected version
	Check                 // write nothing; the key must have the expected version
	CheckPrefix           // write nothing; no key that starts with Key may have a version above Expect
)

// Version is the revision of the store at which a key was last written.
type Version uint64

// Two versions have a meaning of their own.
const (
	Absent     Version = 0           // the key must not exist
	AnyVersion Version = ^Version(0) // the key may have any version, or not exist
)

// Change is one changed key as the store reports it.
type Change struct {
	Key     string
	Value   []byte // nil when the key was deleted
	Version Version

	resource any // as in Mutation; nil when the change comes from a store
}
