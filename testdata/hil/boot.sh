#!/bin/busybox sh
# The rest of the guest's start, after init: drivers, network, disk, and then whoever
# obeys the story outside. It stays the first process and takes in orphans.
modprobe -a virtio_net virtio_console evdev xhci_pci ohci_pci ftdi_sio usbhid hid_generic uvcvideo

# As a careless system would have it: a core dump, if any, has to be seen.
ulimit -c unlimited
echo /run/core.%p >/proc/sys/kernel/core_pattern

mkdir -p /dev/pts /data /run
mount -t devpts devpts /dev/pts
mount -t debugfs debugfs /sys/kernel/debug # tells the levels of GPIO lines
mount -t ext4 /dev/vdb /data

# What the daemon's loader needs, at the path that is written into it.
for loader in /hil/lib/ld-linux*; do
	mkdir -p /lib /lib64
	ln -s "$loader" /lib/
	ln -s "$loader" /lib64/
done

# The first network is the vehicle's and can be cut; the second is the story's.
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip addr add 10.0.3.15/24 dev eth1
ip link set eth1 up

modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0 multiplanar=1 vid_cap_nr=0

# Where the board has no GPIO: a chip in software, with the button at line 5, which is
# worked at /run/button/pull.
if modprobe gpio-sim-hil 2>/dev/null; then
	mount -t configfs none /sys/kernel/config
	sim=/sys/kernel/config/gpio-sim/hil
	mkdir -p $sim/bank0/line5
	echo 8 >$sim/bank0/num_lines
	echo button >$sim/bank0/line5/name
	echo hil >$sim/bank0/label
	echo 1 >$sim/live
	ln -s "/sys/devices/platform/$(cat $sim/dev_name)/$(cat $sim/bank0/chip_name)/sim_gpio5" /run/button
	echo pull-up >/run/button/pull
fi

# A name for the keypad, as udev would give it one. USB takes its time.
mkdir -p /dev/input/by-id
for _ in $(seq 100); do
	name=$(grep -l Keyboard /sys/class/input/event*/device/name 2>/dev/null) && break
	sleep 0.1
done
event=${name%/device/name}
ln -s "../${event##*/}" /dev/input/by-id/keypad

# What there is before the daemon; no clock is good enough to tell later.
find / -xdev -type f >/run/files
/hil/hil guest 10.0.3.15:7000 &
echo "guest: up for $(cut -d' ' -f1 /proc/uptime) s"
wait
poweroff -f
