package main

import "errors"

// rig is what every campaign needs: a folder, a broker and an office that listens.
type rig struct {
	dir    string
	broker *process
	target string // address of the broker
	office *office
	remove func() // the folder, if it was made here
}

// openRig starts a broker and an office with so many inboxes, or leaves nothing.
func openRig(dir, program string, inboxes int) (*rig, error) {
	dir, remove, err := workFolder(dir)
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir, remove: remove}
	if err := r.start(program, inboxes); err != nil {
		r.close()
		remove()
		return nil, err
	}
	return r, nil
}

func (r *rig) start(program string, inboxes int) error {
	var err error
	if r.broker, r.target, err = newBroker(r.dir); err != nil {
		return err
	}
	if err := errors.Join(r.broker.start(), reachable(r.target)); err != nil {
		return err
	}
	if r.office, err = newOffice(r.dir, program, r.target, inboxes); err != nil {
		return err
	}
	return r.office.start()
}

// close ends everything; what was written stays until remove.
func (r *rig) close() {
	if r.office != nil {
		for _, p := range r.office.inboxes {
			p.kill()
		}
	}
	if r.broker != nil {
		r.broker.kill()
	}
}

// end closes the rig. The folder stays after an error: its logs say what happened.
func (r *rig) end(err error) {
	r.close()
	if err == nil {
		r.remove()
	}
}
