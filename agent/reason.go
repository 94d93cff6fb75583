package agent

// Reason names why the gate is closed, or [Open]. Every no has exactly one
// reason; reasons are counted, shown in the status and written to decisions.csv
// under the words of [Reason.String].
type Reason uint8

// The reasons, in the order in which the gate asks.
const (
	Open              Reason = iota // a task is open: look
	SwitchOff                       // the driver has not allowed capture
	Paused                          // a command has paused the vehicle
	NoOrders                        // no orders in force
	NoTime                          // no trusted time yet
	OrdersNotYetValid               // trusted time is before the orders' not_before
	OrdersExpired                   // trusted time is past the orders' not_after
	Storage                         // the outbox is full or unwell
	RedactorUnwell                  // the redaction models are unwell
	NoFix                           // no fix, or the receiver says it is not valid
	StaleFix                        // the newest fix is too old
	PoorQuality                     // estimated, manual or simulated position, or too few satellites
	PoorAccuracy                    // HDOP unknown or too large
	ImplausibleJump                 // the position moved faster than a vehicle can
	Settling                        // in a zone, but not for long enough to be sure
	Outside                         // in no zone of any task
	OffSchedule                     // the task's schedule excludes this moment
	SpeedUnknown                    // the task bounds the speed and the fix has none
	TooFast                         // faster than the task allows
	Quota                           // the task's quota of the day is used up

	reasons // how many there are
)

var reasonWords = [reasons]string{
	Open: "open", SwitchOff: "switch_off", Paused: "paused", NoOrders: "no_orders", NoTime: "no_time",
	OrdersNotYetValid: "orders_not_yet_valid", OrdersExpired: "orders_expired",
	Storage: "storage", RedactorUnwell: "redactor", NoFix: "no_fix", StaleFix: "stale_fix",
	PoorQuality: "poor_quality", PoorAccuracy: "poor_accuracy",
	ImplausibleJump: "implausible_jump", Settling: "settling", Outside: "outside",
	OffSchedule: "schedule", SpeedUnknown: "speed_unknown", TooFast: "too_fast", Quota: "quota",
}

// String returns the reason's word, the same in logs, status, CSV and reports.
func (r Reason) String() string {
	if r < reasons {
		return reasonWords[r]
	}
	return "unknown"
}
