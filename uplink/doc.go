// Package uplink owns what leaves the vehicle and what comes back to it: the
// [Observation] and its [Evidence], the durable [Outbox], the [Link] to the
// broker with its receipts, the signed [Orders], and the receiving [Inbox].
//
// An observation goes one way: it is made once, put into the outbox, published
// until the receiver says that it is stored, and removed. From the moment
// [Outbox.Put] has returned nil it survives the death of the process and of the
// power supply. Delivery is at least once; the id tells a repetition.
//
// # Caveats
//
// A picture can enter only as [Evidence], and evidence can be made only of a
// picture that package blur has redacted.
//
// In the mode [AckPuback] an item counts as delivered when the broker has taken
// it, whether or not anybody receives it: a broker drops messages that nobody
// has subscribed to, or that its access rules refuse. Only [AckReceipt], the
// default, knows that an inbox has stored it.
package uplink
