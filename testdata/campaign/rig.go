package main

import "gadeblik/testdata/program"

// mostQueued is more messages than a campaign ever leaves waiting for an inbox.
const mostQueued = 10_000

// rig is what every campaign needs: a folder, a broker and an office that listens.
type rig struct {
	dir    string
	broker *program.Broker
	office *office
	remove func() // the folder, if it was made here
}

// openRig starts a broker and an office with so many inboxes, or leaves nothing.
func openRig(dir, gadeblik string, inboxes int) (*rig, error) {
	dir, remove, err := workFolder(dir)
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir, remove: remove}
	if err := r.start(gadeblik, inboxes); err != nil {
		r.close()
		remove()
		return nil, err
	}
	return r, nil
}

func (r *rig) start(gadeblik string, inboxes int) error {
	var err error
	if r.broker, err = program.NewBroker(r.dir, mostQueued); err != nil {
		return err
	}
	if err := r.broker.Start(); err != nil {
		return err
	}
	if r.office, err = newOffice(r.dir, gadeblik, r.broker.Address(), inboxes); err != nil {
		return err
	}
	return r.office.start()
}

// close ends everything; what was written stays until remove.
func (r *rig) close() {
	if r.office != nil {
		for _, p := range r.office.inboxes {
			p.Kill()
		}
	}
	if r.broker != nil {
		r.broker.Kill()
	}
}

// end closes the rig. The folder stays after an error: its logs say what happened.
func (r *rig) end(err error) {
	r.close()
	if err == nil {
		r.remove()
	}
}
