package agent

// Counters are the agent's figures since it started. They hold no personal data.
type Counters struct {
	Fixes     uint64 `json:"fixes"`      // fixes observed
	Frames    uint64 `json:"frames"`     // frames that reached the gate
	Closed    uint64 `json:"closed"`     // frames forgotten because no task was open
	Late      uint64 `json:"late"`       // frames forgotten because they were taken long before the newest fix
	Skipped   uint64 `json:"skipped"`    // frames forgotten because the vehicle had not moved far enough
	Looked    uint64 `json:"looked"`     // frames looked at
	BadFrames uint64 `json:"bad_frames"` // frames that could not be read

	Detections uint64 `json:"detections"` // things seen that a task looks for
	Uncertain  uint64 `json:"uncertain"`  // things seen below the task's score, and not reported
	Failed     uint64 `json:"failed"`     // looks abandoned because a model failed or took too long
	Dropped    uint64 `json:"dropped"`    // pictures dropped because they could not be redacted
	Withdrawn  uint64 `json:"withdrawn"`  // looks and pictures given up because the driver switched off or the agent stopped
	Redacted   uint64 `json:"redacted"`   // pictures redacted, also those that a better look replaced

	Followed uint64 `json:"followed"` // regions added or enlarged because the frame before or after showed more

	SecondLooks  uint64 `json:"second_looks"`  // redacted pictures that other models looked at
	Grown        uint64 `json:"grown"`         // of those, pictures in which they saw somebody, who was then removed too
	StillVisible uint64 `json:"still_visible"` // pictures dropped because they saw somebody even then

	Persons uint64 `json:"persons"` // persons removed from the pictures that became observations
	Faces   uint64 `json:"faces"`   // faces removed from those
	Plates  uint64 `json:"plates"`  // number plates removed from those

	Findings  uint64 `json:"findings"`   // observations with a picture
	Counts    uint64 `json:"counts"`     // observations with numbers
	Clears    uint64 `json:"clears"`     // observations that all was well
	Repeated  uint64 `json:"repeated"`   // things not reported again because an earlier pass had
	OverQuota uint64 `json:"over_quota"` // observations forgotten because the day's quota was used up

	No [reasons]uint64 `json:"-"` // decisions by reason, at frames and fixes
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
