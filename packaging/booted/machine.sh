# Sourced by packaging/booted.sh: the vehicle's computer, a Debian that QEMU emulates,
# what hangs on its plugs, and the way to its shell.
#
# It reads arch, suite, roots, cache, ssh_port and work, a folder that is thrown away, and
# sets qemu, the process.
# shellcheck shell=bash disable=SC2054,SC2154

# debian makes the plain system once and keeps it.
debian() {
	local tar=$roots/$suite-$arch-ssh.tar fresh=$work/fresh
	if [ ! -e "$tar" ]; then
		[ "$arch" = "$(dpkg --print-architecture)" ] || emulate ||
			skip "$arch: this kernel cannot be told to run its programs (binfmt_misc, apt-get install qemu-user-static)"
		mkdir -p "$roots"
		debootstrap --arch="$arch" --variant=minbase \
			--include=systemd,systemd-sysv,udev,dbus,libpam-systemd,sudo,openssh-server,ca-certificates,procps,kmod \
			"$suite" "$fresh" >"$work/debootstrap.log" || { tail -n 20 "$work/debootstrap.log" >&2 && return 1; }
		umount --recursive "$fresh/proc" "$fresh/sys" 2>/dev/null || true
		tar -C "$fresh" --numeric-owner --one-file-system -cf "$tar.part" .
		mv "$tar.part" "$tar"
		rm -rf --one-file-system "$fresh"
	fi
	mkdir "$work/root"
	tar -C "$work/root" --numeric-owner -xpf "$tar"
}

# furnish makes a vehicle's computer of the plain system: a user as Raspberry Pi OS has
# one, network, the kernel's modules, and the devices that are made of software.
furnish() {
	local root=$work/root name who home
	name=$(cat "$cache/$arch/version")-$arch
	mkdir -p "$root/usr/lib/modules"
	cp -r "$cache/$arch/k/lib/modules/$name" "$root/usr/lib/modules/"
	if [ -e "$cache/$arch/gs/gpio-sim-hil.ko" ]; then
		install -D -m 644 "$cache/$arch/gs/gpio-sim-hil.ko" "$root/usr/lib/modules/$name/extra/gpio-sim-hil.ko"
	fi
	depmod -b "$root" "$name"

	ssh-keygen -q -t ed25519 -N '' -f "$work/ssh.key"
	useradd --prefix "$root" --create-home --shell /bin/bash --groups sudo,adm pi
	useradd --prefix "$root" --create-home --shell /bin/bash driver
	for who in root pi driver; do
		home=$root/$([ $who = root ] || echo home/)$who
		install -d -m 700 "$home/.ssh"
		install -m 600 "$work/ssh.key.pub" "$home/.ssh/authorized_keys"
		chown -R --reference="$home" "$home/.ssh"
	done
	echo "pi ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/010_pi-nopasswd"
	chmod 440 "$root/etc/sudoers.d/010_pi-nopasswd"
	echo sweeper-03 >"$root/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 sweeper-03\n' >"$root/etc/hosts"
	printf '[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
		>"$root/etc/systemd/network/wired.network"
	ln -s /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
	board_in "$root"
}

# board_in brings the camera, which is the kernel's own for tests, and, where its module
# could be built, a GPIO chip with lines called as a Raspberry Pi's.
board_in() {
	echo "options vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0 multiplanar=1 vid_cap_nr=0" >"$1/etc/modprobe.d/board.conf"
	echo vivid >"$1/etc/modules-load.d/board.conf"
	if [ ! -e "$cache/$arch/gs/gpio-sim-hil.ko" ]; then return; fi
	printf 'configfs\ngpio-sim-hil\n' >>"$1/etc/modules-load.d/board.conf"
	install -m 755 /dev/stdin "$1/usr/local/sbin/board" <<-'END'
		#!/bin/sh -e
		sim=/sys/kernel/config/gpio-sim/board
		mkdir -p $sim/bank0/line17 $sim/bank0/line27
		echo 32 >$sim/bank0/num_lines
		echo GPIO17 >$sim/bank0/line17/name
		echo GPIO27 >$sim/bank0/line27/name
		echo 1 >$sim/live
		ln -s "/sys/devices/platform/$(cat $sim/dev_name)/$(cat $sim/bank0/chip_name)" /run/board
		echo pull-up >/run/board/sim_gpio17/pull
	END
	cat >"$1/etc/systemd/system/board.service" <<-END
		[Unit]
		DefaultDependencies=no
		After=systemd-modules-load.service sys-kernel-config.mount
		Before=sysinit.target
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/usr/local/sbin/board
	END
	mkdir -p "$1/etc/systemd/system/sysinit.target.wants"
	ln -s ../board.service "$1/etc/systemd/system/sysinit.target.wants/"
}

# disk makes the image of all that, and what the kernel needs to find it.
disk() {
	local start=$work/start name file
	name=$(cat "$cache/$arch/version")-$arch
	truncate --size 4G "$work/disk.img"
	mkfs.ext4 -q -F -L root -d "$work/root" "$work/disk.img"
	rm -rf --one-file-system "$work/root"
	mkdir -p "$start"/{bin,dev,proc,sys,root,m}
	cp "$cache/$arch/bb/bin/busybox" "$start/bin/"
	depmod -b "$cache/$arch/k" -n "$name" >/dev/null
	for file in virtio_pci virtio_blk crc32c_generic ext4; do
		modprobe -d "$(realpath "$cache/$arch/k")" -S "$name" --show-depends "$file" 2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | awk '!seen[$0]++' >"$work/order"
	while read -r file; do
		cp "$file" "$start/m/"
		[[ $file != *.xz ]] || xz -d "$start/m/${file##*/}"
		file=${file##*/}
		echo "/m/${file%.xz}"
	done <"$work/order" >"$start/order"
	cat >"$start/init" <<-'END'
		#!/bin/busybox sh
		b=/bin/busybox
		$b mount -t devtmpfs dev /dev
		$b mount -t proc proc /proc
		$b mount -t sysfs sys /sys
		while read -r m; do $b insmod "$m"; done </order
		$b mount -t ext4 /dev/vda /root
		for d in dev proc sys; do $b mount -o move /$d /root/$d; done
		exec $b switch_root /root /lib/systemd/systemd
	END
	chmod 755 "$start/init"
	(cd "$start" && find . | sort | cpio -o -H newc --quiet -R 0:0) >"$work/initrd"
}

# free_port prints a port of this machine that nobody listens on.
free_port() {
	local port
	for _ in {1..50}; do
		port=$((20000 + RANDOM % 12000))
		(: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
	done
	return 1
}

# power_on starts the machine. It ends when the system restarts, and is started anew.
# Never with KVM: where it is itself emulated it says that it works, and hangs.
power_on() {
	local args kernel
	case $arch in
	amd64)
		args=(qemu-system-x86_64 -machine q35,hpet=off,i8042=off -bios /usr/share/qemu/qboot.rom -cpu max)
		kernel="console=ttyS0 tsc=reliable no_timer_check random.trust_cpu=on"
		;;
	arm64)
		args=(qemu-system-aarch64 -machine virt,gic-version=2 -cpu cortex-a72)
		kernel="console=ttyAMA0 kpti=off"
		;;
	esac
	"${args[@]}" -accel tcg,thread=multi -smp 4 -m 2048 -nodefaults -no-user-config -display none -no-reboot -rtc base=utc \
		-kernel "$cache/$arch/kernel" -initrd "$work/initrd" -append "$kernel quiet panic=-1 mitigations=off nokaslr audit=0" \
		-chardev file,id=console,append=on,path="$work/console.log" -serial chardev:console \
		-device virtio-rng-pci \
		-drive if=none,id=disk,format=raw,cache=unsafe,file="$work/disk.img" -device virtio-blk-pci,drive=disk \
		-netdev user,id=net,hostfwd=tcp:127.0.0.1:"$ssh_port"-10.0.2.15:22 -device virtio-net-pci,netdev=net,romfile= \
		-chardev pipe,id=gps,path="$work/gps" -device pci-ohci,id=ohci -device usb-serial,chardev=gps,bus=ohci.0,serial=1 \
		</dev/null >>"$work/qemu.log" 2>&1 &
	qemu=$!
}

power_off() {
	local wait
	hang_up
	[ -n "${qemu:-}" ] || return 0
	kill "$qemu" 2>/dev/null || true
	for ((wait = 0; wait < 50; wait++)); do
		kill -0 "$qemu" 2>/dev/null || break
		sleep 0.1
	done
	kill -9 "$qemu" 2>/dev/null || true
	wait "$qemu" 2>/dev/null || true
	qemu=
}

# secure SSH|SCP ARGUMENT...: for LIMIT seconds at most. One connection for each user is
# kept for the next time.
secure() {
	timeout --kill-after=5 "${LIMIT:-120}" "$1" -F none -o Port="$ssh_port" -i "$work/ssh.key" \
		-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=20 \
		-o ControlMaster=auto -o ControlPath="$work/ssh-%r" -o ControlPersist=600 "${@:2}" </dev/null
}

# shell USER LINE: in a login of that user.
shell() { secure ssh "$1@127.0.0.1" "$2"; }

# bring FILE: into the home of pi.
bring() { secure scp -q "$1" pi@127.0.0.1:; }

# hang_up ends the logins, so that the next is a new one.
hang_up() {
	local socket
	for socket in "$work"/ssh-*; do
		[ ! -S "$socket" ] || timeout 10 ssh -F none -o ControlPath="$socket" -O exit anybody@127.0.0.1 2>/dev/null || true
	done
}

# up waits until the system has started.
up() {
	local wait state
	for ((wait = 0; wait < 300; wait += 2)); do
		kill -0 "$qemu" 2>/dev/null || { echo "QEMU has ended: $(tail -n 5 "$work/qemu.log")" >&2 && return 1; }
		LIMIT=30 shell root true 2>/dev/null && break
		sleep 2
	done
	state=$(LIMIT=300 shell root "systemctl is-system-running --wait" || true)
	if [ "$state" != running ]; then
		echo "the system is '$state': $(shell root "systemctl --failed --no-legend --plain")" >&2
		return 1
	fi
}

# sentence TEXT: an NMEA sentence with its sum.
sentence() {
	local sum=0 i
	for ((i = 0; i < ${#1}; i++)); do ((sum ^= $(printf '%d' "'${1:i:1}"))) || true; done
	printf '$%s*%02X\r\n' "$1" "$sum"
}

# receive is a GPS receiver that stands in one place, in Copenhagen.
receive() {
	local now
	exec 1<>"$work/gps.in" # for reading too: it must outlive a restart of the machine
	while sleep 1; do
		now=$(date -u +%H%M%S,%d%m%y)
		sentence "GPRMC,${now%,*}.00,A,5541.150,N,01233.250,E,2.7,45.0,${now#*,},,,A"
		sentence "GPGGA,${now%,*}.00,5541.150,N,01233.250,E,1,09,0.9,12.0,M,40.0,M,,"
	done
}
