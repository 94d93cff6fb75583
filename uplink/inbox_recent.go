package uplink

// maxRecent is how many items an inbox remembers to have stored.
const maxRecent = 4096

// recent remembers what was stored lately, so that the picture of a stored
// observation, come once more, does not wait for anything. It may forget: then the
// picture waits until its observation comes, or it is too old.
type recent struct {
	set   map[address]bool
	order []address
}

// item is an address without what tells its messages apart.
func (a address) item() address {
	a.kind, a.k, a.n = "", 0, 0
	return a
}

func (r *recent) has(a address) bool { return r.set[a.item()] }

func (r *recent) add(a address) {
	a = a.item()
	if r.set == nil {
		r.set = map[address]bool{}
	}
	if r.set[a] {
		return
	}
	if len(r.order) == maxRecent {
		delete(r.set, r.order[0])
		r.order = r.order[1:]
	}
	r.set[a] = true
	r.order = append(r.order, a)
}

// remove lets pictures of an item wait again. Its place in the order stays.
func (r *recent) remove(a address) { delete(r.set, a.item()) }
