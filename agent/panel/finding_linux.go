package panel

import "errors"

func (b Button) examine() (Finding, error) {
	open := openInput
	if b.Line != "" {
		open = openLine
		if f, err := examineLine(b.Line); err != nil || f.UsedBy != "" {
			return f, err
		}
	}
	c, err := open(b)
	if err != nil {
		return Finding{}, err
	}
	f := Finding{Where: c.String()}
	f.Pressed, err = c.pressed()
	return f, errors.Join(err, c.Close())
}

func (l Lamp) examine() (Finding, error) { return examineLine(l.Line) }

func examineLine(spec string) (Finding, error) {
	l, err := find(spec)
	if err != nil {
		return Finding{}, err
	}
	return Finding{Where: l.String(), UsedBy: l.user()}, nil
}
