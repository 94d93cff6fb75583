package uplink

const (
	// headroom is what a packet takes beside its payload: the topic, most of all.
	headroom = 512
	// minPayload keeps the largest picture below maxParts parts.
	minPayload = 48 << 10
)

// messages are what carries an item: first the picture, then the observation that
// names it, each in as many parts as it takes.
func (l *Link) messages(id string, observation, evidence []byte) []message {
	return append(l.split(l.topics.Evidence(id), evidence), l.split(l.topics.Observation(id), observation)...)
}

// split returns the messages that carry a payload; an empty one takes none.
func (l *Link) split(topic string, payload []byte) []message {
	n := l.parts(len(payload))
	var out []message
	for k := range n {
		size := (len(payload) + n - k - 1) / (n - k) // all parts are about as long
		out = append(out, message{topic: part(topic, k+1, n), payload: payload[:size:size]})
		payload = payload[size:]
	}
	return out
}

// parts is how many messages a payload takes.
func (l *Link) parts(length int) int {
	room := l.cfg.MaxPayload - headroom
	return (length + room - 1) / room
}

// weight is how many messages an item takes, as far as what is stored tells: what
// waits under the vehicle's own key is a little longer than what is sent.
func (l *Link) weight(it Item) int {
	return max(1, l.parts(int(it.record.observation))+l.parts(int(it.record.evidence)))
}
