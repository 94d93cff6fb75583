// Package panel is the driver's panel: a button that allows or forbids capture, and
// a lamp that says what the vehicle does.
//
// A short press turns capture off the moment the button goes down, or on when it is
// let go; a long press forbids capture for the shift, or ends that. What the presses
// do is the business of the [Driver]; [Panel.Run] finds the devices, reads the button,
// blinks the lamp and tells the Driver what is wrong with them.
//
// The button is believed by its level and not by its edges: these only say when to
// look, and one that is lost or comes twice changes nothing. A button that is pressed
// when it is found, or for half a minute, is a fault until it is let go, and so is a
// button or a lamp that is configured and not there: who cannot forbid capture, or
// see it, must not have it.
//
// # Caveats
//
// The lamp is put out when Run ends. When the process dies, the kernel takes the line
// back and says nothing of its level: many controllers make an input of it, which
// puts the lamp out, others keep the last level until somebody takes the line again,
// which the agent does, dark, when it is started anew.
//
// A system call that hangs in a broken driver cannot be ended. Run does not wait for
// it: its goroutine stays until the kernel lets go, and then closes what it holds.
// There is never more than one for the button and one for the lamp.
package panel
