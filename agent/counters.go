package agent

// Counters are the agent's figures since it started. They hold no personal data.
type Counters struct {
	Fixes     uint64 // fixes observed
	Frames    uint64 // frames that reached the gate
	Closed    uint64 // frames forgotten because no task was open
	Skipped   uint64 // frames forgotten because the vehicle had not moved far enough
	Looked    uint64 // frames looked at
	BadFrames uint64 // frames that could not be read

	Detections uint64 // things seen that a task looks for
	Uncertain  uint64 // things seen below the task's score, and not reported
	Failed     uint64 // looks abandoned because a model failed or took too long
	Dropped    uint64 // pictures dropped because they could not be redacted
	Redacted   uint64 // pictures redacted, also those that a better look replaced
	Persons    uint64 // persons removed from the pictures that became observations
	Faces      uint64 // faces removed from those
	Plates     uint64 // number plates removed from those

	Findings  uint64 // observations with a picture
	Counts    uint64 // observations with numbers
	Clears    uint64 // observations that all was well
	Repeated  uint64 // things not reported again because an earlier pass had
	OverQuota uint64 // observations forgotten because the day's quota was used up

	No [reasons]uint64 // decisions by reason, at frames and fixes
}

// Reasons returns how often the gate gave each answer, by word, without zeros.
func (c *Counters) Reasons() map[string]uint64 {
	m := map[string]uint64{}
	for r, n := range c.No {
		if n > 0 {
			m[Reason(r).String()] = n
		}
	}
	return m
}
