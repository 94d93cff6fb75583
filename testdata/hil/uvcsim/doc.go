// Package uvcsim is a USB camera in software. It speaks the usbredir protocol to QEMU's
// usb-redir device, so that the stock uvcvideo driver of the guest sees a camera of the
// USB Video Class that is really plugged in and pulled out:
//
//	qemu-system-… -device qemu-xhci,id=xhci -device usb-redir,chardev=cam,bus=xhci.0 \
//	              -chardev socket,id=cam,path=cam.sock,server=on,wait=off
//
// It is a UVC 1.00 camera that gives MJPEG of one size over a bulk endpoint. [Plug] is
// plugging it in, [Camera.Unplug] is pulling it out, and what the driver does with it,
// streaming or not, is written down with its time: [Camera.Events].
//
// # Caveats
//
// Cameras with a bulk endpoint have no alternate setting that says "off". The driver's
// start of a stream is the commit of its parameters, its end is clearing the endpoint's
// halt; that is what uvcvideo does, and only then. Isochronous transfers are not
// simulated.
package uvcsim
