package inventory

// Outcome is what a command was planned on, and what it comes to.
type Outcome struct {
	Before, After *State
}

// note takes over what a draft comes to; nil does not care.
func (o *Outcome) note(s moment, d *Draft) error {
	if o == nil {
		return nil
	}
	after, err := d.State()
	if err == nil {
		*o = Outcome{s.Snapshot(), after}
	}
	return err
}

// WithOutcome carries out a command and tells what it comes to.
type WithOutcome struct {
	Command Command
	Outcome *Outcome
}

func (c WithOutcome) plan(s moment) ([]Mutation, error) {
	d := NewDraft(s.State, s.now)
	if err := d.Do(c.Command); err != nil {
		return nil, err
	}
	return d.Mutations(), c.Outcome.note(s, d)
}
