package panel

// Finding is what was seen of a button or of a lamp.
type Finding struct {
	Where   string // which it is, as the kernel calls it
	UsedBy  string // who has it now; "" is nobody
	Pressed bool   // the button is pressed now; not known where somebody has it
}

// Examine looks for the button, takes it for a moment to read its level, and lets go
// of it again. Where somebody has it, it is only looked at.
func (b Button) Examine() (Finding, error) { return b.examine() }

// Examine looks for the lamp. It does not take it: a lamp that is lit stays so.
func (l Lamp) Examine() (Finding, error) { return l.examine() }
