#!/usr/bin/env bash
# Installs, upgrades, removes and purges the packages in bare Debian systems, and uses
# what they install: each step prints a line, the first that fails ends the test.
#
#     packaging/lifecycle.sh                           builds two versions, tests both architectures
#     packaging/lifecycle.sh ARCH FIRST.deb SECOND.deb tests these
#
# The systems come from debootstrap and are kept in build/deb/roots; SUITE names another
# than bookworm. It needs root, and skips with a reason where that or debootstrap is
# missing. All mounts are in a namespace of its own, which ends with it.
set -Eeuo pipefail
umask 022
export LC_ALL=C
cd "$(dirname "$0")/.."
suite=${SUITE:-bookworm}
roots=build/deb/roots
. packaging/emulate.sh

skip() {
	echo "skipped: $*"
	exit 0
}
[ "$(id -u)" = 0 ] || skip "debootstrap and chroot need root; run sudo make deb-test"
command -v debootstrap >/dev/null || skip "debootstrap is missing (apt-get install debootstrap)"
if [ -z "${GADEBLIK_LIFECYCLE:-}" ]; then
	GADEBLIK_LIFECYCLE=1 exec unshare --mount --propagation private "$0" "$@"
fi

work=$(mktemp -d)
current=start
arch=""
failed=""
tidy() {
	[ -z "${pid:-}" ] || kill "$pid" 2>/dev/null || true
	emulate_no_more
	let_go
	rm -rf --one-file-system "$work"
}
let_go() {
	local m
	for m in proc sys run tmp dev; do umount --recursive --lazy "$work/root/$m" 2>/dev/null || true; done
}
trap tidy EXIT
trap '[ "$BASH_SUBSHELL" -gt 0 ] || [ -n "$failed" ] || echo "FAIL  $arch  $current (line $LINENO)"; failed=yes' ERR
trap 'exit 130' INT TERM

step() { current=$*; }
ok() { echo "ok    $arch  $current${*:+: $*}"; }

# expect WHAT GOT WANT
expect() {
	[ "$2" = "$3" ] || { echo "$1: got '$2', want '$3'" >&2 && return 1; }
}

# contains WHAT TEXT PIECE...: every piece is in the text.
contains() {
	local what=$1 text=$2 piece
	shift 2
	for piece in "$@"; do
		grep -qF -- "$piece" <<<"$text" || { printf '%s lacks "%s":\n%s\n' "$what" "$piece" "$text" >&2 && return 1; }
	done
}

# in_root COMMAND...: with nothing of this machine's environment.
in_root() { chroot "$work/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/root "$@" </dev/null; }
# as USER COMMAND...
as() { in_root setpriv --reuid "$1" --regid "$(in_root id -g "$1")" --init-groups "${@:2}"; }
# refused COMMAND...: prints what it says and insists on exit code 1.
refused() {
	local code=0 text
	text=$("$@" 2>&1) || code=$?
	expect "exit code of $*" "$code" 1
	echo "$text"
}
# about PATH...: mode, owner and kind.
about() { (cd "$work/root" && stat -c '%a %U:%G %F' "$@"); }
mode() { in_root stat -c '%a %U:%G' "$1"; }

emulated() { [ "$arch" != "$(dpkg --print-architecture)" ]; }

bare_system() {
	local tar=$roots/$suite-$arch.tar fresh=$work/fresh
	if [ ! -e "$tar" ]; then
		mkdir -p "$roots"
		debootstrap --arch="$arch" --variant=minbase --include=systemd,udev,ca-certificates,procps "$suite" "$fresh" >"$work/debootstrap.log" ||
			{ tail -n 20 "$work/debootstrap.log" >&2 && return 1; }
		umount --recursive "$fresh/proc" "$fresh/sys" 2>/dev/null || true
		tar -C "$fresh" --numeric-owner --one-file-system -cf "$tar.part" .
		mv "$tar.part" "$tar"
		rm -rf --one-file-system "$fresh"
	fi
	mkdir "$work/root"
	tar -C "$work/root" --numeric-owner -xpf "$tar"
	mount -t proc proc "$work/root/proc"
	mount -t sysfs -o ro sysfs "$work/root/sys"
	mount -t tmpfs tmpfs "$work/root/run"
	mount -t tmpfs -o mode=1777 tmpfs "$work/root/tmp"
	mount --bind /dev "$work/root/dev"
}

# everything lists what is in the system but for caches, logs, backups of the list of
# users, and what dpkg itself remembers.
everything() {
	(cd "$work/root" && find . \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/cache \
		-o -path ./var/log -o -path ./var/lib/dpkg -o -path './etc/*-' \) -prune -o -print | sort)
}

install_first() {
	step "install"
	everything >"$work/before"
	in_root dpkg --install /package/first.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2 && false; }
	contains "what the installation says" "$(cat "$work/dpkg.log")" "now edit /etc/gadeblik/gadeblik.yaml"
	# shellcheck disable=SC2016 # the format is dpkg's
	expect "status" "$(in_root dpkg-query -W -f '${db:Status-Abbrev}' gadeblik)" "ii "
	expect "changed files" "$(in_root dpkg --verify gadeblik)" ""
	ok
	step "modes and owners"
	expect /etc/gadeblik "$(mode /etc/gadeblik)" "755 root:root"
	expect gadeblik.yaml "$(mode /etc/gadeblik/gadeblik.yaml)" "644 root:root"
	expect keys "$(mode /etc/gadeblik/keys)" "750 root:gadeblik"
	expect vehicles "$(mode /etc/gadeblik/vehicles)" "755 root:root"
	expect state "$(mode /var/lib/gadeblik)" "700 gadeblik:gadeblik"
	expect binary "$(mode /usr/bin/gadeblik)" "755 root:root"
	expect library "$(mode /usr/lib/gadeblik/libonnxruntime.so.1)" "644 root:root"
	local odd
	odd=$(in_root dpkg -L gadeblik | while read -r f; do
		(cd "$work/root" && find ".$f" -maxdepth 0 ! -type l \( -perm /6022 -o ! -uid 0 -o ! -gid 0 \))
	done)
	expect "files that others own or may change" "$odd" ""
	ok
	step "users and groups"
	expect groups "$(in_root id -nG gadeblik | tr ' ' '\n' | sort | xargs)" "dialout gadeblik gpio input video"
	expect "the inbox's groups" "$(in_root id -nG gadeblik-inbox)" "gadeblik-inbox"
	contains "user gadeblik" "$(in_root getent passwd gadeblik)" ":/var/lib/gadeblik:/usr/sbin/nologin"
	ok
	step "the example is the configuration"
	cmp "$work/root/etc/gadeblik/gadeblik.yaml" configs/gadeblik.yaml
	cmp "$work/root/usr/share/doc/gadeblik/examples/gadeblik.yaml" configs/gadeblik.yaml
	ok
}

units() {
	step "the agent is enabled and the inbox is not"
	expect agent "$(in_root systemctl is-enabled gadeblik.service)" enabled
	expect inbox "$(in_root systemctl is-enabled gadeblik-inbox.service || true)" disabled
	ok
	step "units are understood"
	expect "systemd-analyze verify" "$(in_root systemd-analyze verify gadeblik.service gadeblik-inbox.service 2>&1)" ""
	ok
	step "exposure is at most 2.0"
	local unit said all=
	for unit in gadeblik gadeblik-inbox; do
		said=$(in_root systemd-analyze security --no-pager --offline=yes --threshold=20 "/usr/lib/systemd/system/$unit.service") ||
			{ grep -F exposure <<<"$said" >&2 && false; }
		all+=" $unit $(sed -n 's/.*exposure level for [^:]*: //p' <<<"$said" | cut -d' ' -f1)"
	done
	ok "${all# }"
	step "manual, completions, licences and bill of materials"
	(cd "$work/root/usr/share" && zcat man/man1/gadeblik.1.gz man/man1/gadeblik-orders-sign.1.gz man/man5/gadeblik.yaml.5.gz >/dev/null &&
		test -s bash-completion/completions/gadeblik && test -s zsh/vendor-completions/_gadeblik && test -s fish/vendor_completions.d/gadeblik.fish &&
		grep -q '^Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/$' doc/gadeblik/copyright &&
		grep -q "$(sha256sum ../lib/gadeblik/libonnxruntime.so.1 | cut -d' ' -f1)" doc/gadeblik/sbom.cdx.json &&
		grep -q "$(sha256sum ../bin/gadeblik | cut -d' ' -f1)" doc/gadeblik/sbom.cdx.json)
	ok
}

first_words() {
	step "gadeblik version"
	local says
	says=$(as gadeblik gadeblik version)
	contains version "$says" "linux/$arch"
	ok "$says"
	step "gadeblik check names what the example leaves open"
	says=$(refused as gadeblik gadeblik check --config /etc/gadeblik/gadeblik.yaml)
	contains check "$says" "/etc/gadeblik/keys/orders-1.pub: no such file or directory" \
		"gadeblik models fetch --dir /var/lib/gadeblik/models"
	ok
	step "gadeblik doctor names all that is missing, with its mend"
	says=$(refused as gadeblik gadeblik doctor --config /etc/gadeblik/gadeblik.yaml)
	local part
	grep -qE "^fail  orders .*/etc/gadeblik/keys/orders-1.pub" <<<"$says"
	for part in serial camera models orders sealing broker; do
		grep -A1 -E "^fail  $part " <<<"$says" | grep -qE '^ +→ .' ||
			{ printf 'the doctor does not name %s, or without a mend:\n%s\n' "$part" "$says" >&2 && return 1; }
	done
	grep -qE '^ok    runtime   ONNX Runtime .* at /usr/lib/gadeblik/libonnxruntime.so.1$' <<<"$says"
	grep -qE '^(ok|warn)    ?disk      /var/lib/gadeblik is writable' <<<"$says"
	ok "$(grep -c . <<<"$says") lines"
}

# configure does what docs/install.md tells a technician to.
configure() {
	step "keys and configuration"
	local etc=$work/root/etc/gadeblik
	in_root sh -c 'cd /root && gadeblik keys new fleet-admin.key && gadeblik keys new --age office.age' >/dev/null
	in_root install -m 644 /root/fleet-admin.key.pub /root/office.age.pub /etc/gadeblik/keys
	sed -i -e 's|/keys/orders-1.pub .*|/keys/fleet-admin.key.pub|' -e '/orders-2.pub/d' \
		-e 's|^  device: /dev/serial.*|  device: /dev/ttyUSB0|' -e 's|^  device: /dev/v4l.*|  device: /dev/video0|' \
		-e 's|tls://mqtt.example.com:8883.*|tcp://127.0.0.1:1|' -e '/yolox_nano\|yunet_\|PP-OCRv3/d' "$etc/gadeblik.yaml"
	expect "gadeblik check" "$(as gadeblik gadeblik check --config /etc/gadeblik/gadeblik.yaml)" "in order"
	sha256sum "$etc/gadeblik.yaml" | cut -d' ' -f1 >"$work/edited"
	ok
}

# demonstrate looks with the models. Emulated, it is too slow to speak to a broker in
# time, so that the drive is replayed without one.
demonstrate() {
	local says
	if emulated; then
		step "gadeblik replay, as the agent's user, emulated"
		cp -r testdata/drives/demo "$work/root/tmp/drive"
		says=$(as gadeblik timeout --foreground --kill-after=10 1500 gadeblik replay /tmp/drive --out /tmp/demo/replay 2>&1) || { echo "$says" >&2 && false; }
		contains replay "$(find "$work/root/tmp/demo/replay")" summary.json observations.jsonl
	else
		step "gadeblik demo, as the agent's user"
		says=$(as gadeblik timeout --foreground --kill-after=10 300 gadeblik demo --out /tmp/demo 2>&1) || { echo "$says" >&2 && false; }
		contains demo "$says" "arrived over MQTT and were receipted"
	fi
	test -n "$(find "$work/root/tmp/demo/replay/evidence" -name '*.jpg' -print -quit)"
	ok "$(grep -c . "$work/root/tmp/demo/replay/observations.jsonl") observations"
}

daemon() {
	step "gadeblik run starts, answers its group alone, and stops when told"
	install -d -m 750 "$work/root/run/gadeblik" # as RuntimeDirectory= does
	in_root chown gadeblik:gadeblik /run/gadeblik
	chroot "$work/root" /usr/bin/env -i PATH=/usr/bin setpriv --reuid gadeblik --regid gadeblik --init-groups \
		sh -c 'umask 077; exec gadeblik run --config /etc/gadeblik/gadeblik.yaml' </dev/null >"$work/run.log" 2>&1 &
	pid=$!
	local wait code=0
	for ((wait = 100; wait > 0; wait--)); do
		if [ -S "$work/root/run/gadeblik/control.sock" ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
		sleep 1
	done
	test -S "$work/root/run/gadeblik/control.sock" || { cat "$work/run.log" >&2 && return 1; }
	in_root usermod --append --groups gadeblik games
	contains "switch status in group gadeblik" "$(as games gadeblik switch status)" "switch off since"
	contains "switch on" "$(as games gadeblik switch on)" "switch on since"
	contains "switch status of anybody" "$(refused as nobody gadeblik switch status)" "permission denied"
	kill -TERM "$pid"
	wait "$pid" || code=$?
	pid=
	expect "exit code of gadeblik run" "$code" 0
	expect "mode of the vehicle's key" "$(mode /var/lib/gadeblik/device.key)" "600 gadeblik:gadeblik"
	touch "$work/root/var/lib/gadeblik/outbox/0000000000000001-test.item" # something that waits
	ok
}

upgrade() {
	step "upgrade keeps configuration, keys and state, and asks nothing"
	in_root systemctl disable gadeblik.service 2>/dev/null
	in_root dpkg --install /package/second.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2 && false; }
	expect "configuration" "$(sha256sum "$work/root/etc/gadeblik/gadeblik.yaml" | cut -d' ' -f1)" "$(cat "$work/edited")"
	kept
	contains version "$(as gadeblik gadeblik version)" "$(cat "$work/second")"
	expect "mode of the keys' folder" "$(mode /etc/gadeblik/keys)" "750 root:gadeblik"
	expect "a service that was disabled" "$(in_root systemctl is-enabled gadeblik.service || true)" disabled
	in_root systemctl enable gadeblik.service 2>/dev/null
	ok "$(as gadeblik gadeblik version)"
}

kept() {
	local f
	for f in etc/gadeblik/gadeblik.yaml etc/gadeblik/keys/office.age.pub var/lib/gadeblik/device.key var/lib/gadeblik/outbox/0000000000000001-test.item; do
		test -e "$work/root/$f" || { echo "$f is gone" >&2 && return 1; }
	done
}

remove() {
	step "remove takes the program and keeps configuration, keys, state and user"
	in_root dpkg --remove gadeblik >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2 && false; }
	test ! -e "$work/root/usr/bin/gadeblik"
	test ! -e "$work/root/usr/lib/gadeblik"
	kept
	in_root getent passwd gadeblik >/dev/null
	ok
	step "install again finds them"
	in_root dpkg --install /package/first.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2 && false; }
	expect "gadeblik check" "$(as gadeblik gadeblik check --config /etc/gadeblik/gadeblik.yaml)" "in order"
	expect configuration "$(sha256sum "$work/root/etc/gadeblik/gadeblik.yaml" | cut -d' ' -f1)" "$(cat "$work/edited")"
	kept
	ok
}

purge() {
	step "purge says what it deletes, and leaves nothing"
	rm -f "$work/root"/root/fleet-admin.key* "$work/root"/root/office.age*
	local says
	says=$(in_root dpkg --purge gadeblik 2>&1)
	contains purge "$says" "deleting /var/lib/gadeblik" "this vehicle's keys" "1 observations that were not sent" "deleting /etc/gadeblik"
	everything >"$work/after"
	expect "what is left" "$(comm -13 "$work/before" "$work/after" | grep -v '^\./etc/\.pwd\.lock$' || true)" ""
	expect "what is missing" "$(comm -23 "$work/before" "$work/after")" ""
	expect "users and groups left" "$(grep -hE '^gadeblik' "$work/root/etc/passwd" "$work/root/etc/group" "$work/root/etc/shadow" || true)" ""
	ok
	step "purge of an inbox keeps its archive and the office's key"
	in_root dpkg --install /package/second.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log" >&2 && false; }
	in_root install -d -o gadeblik-inbox -g gadeblik-inbox /var/lib/gadeblik-inbox/2026-05-04
	in_root install -m 600 -o gadeblik-inbox /dev/null /etc/gadeblik/office.age
	contains purge "$(in_root dpkg --purge gadeblik 2>&1)" "/var/lib/gadeblik-inbox and /etc/gadeblik stay"
	test -d "$work/root/var/lib/gadeblik-inbox/2026-05-04"
	test -e "$work/root/etc/gadeblik/office.age"
	test ! -e "$work/root/var/lib/gadeblik"
	in_root rm -r /var/lib/gadeblik-inbox /etc/gadeblik
	in_root userdel gadeblik-inbox
	ok
}

# life ARCH FIRST SECOND
life() {
	arch=$1
	step "bare $suite"
	if emulated && { [ "$arch" != arm64 ] || ! emulate; }; then
		echo "skipped: $arch: this kernel cannot be told to run its programs (binfmt_misc, apt-get install qemu-user-static)"
		return
	fi
	bare_system
	ok "$(in_root uname -m), $(in_root systemctl --version | head -n 1)"
	mkdir "$work/root/package"
	cp "$2" "$work/root/package/first.deb"
	cp "$3" "$work/root/package/second.deb"
	dpkg-deb --fsys-tarfile "$3" | tar -xO ./usr/share/doc/gadeblik/changelog.Debian.gz | zcat | sed -n 's/.*Built from \(.*\); changelog.*/\1/p' >"$work/second"
	install_first
	units
	first_words
	configure
	demonstrate
	daemon
	upgrade
	remove
	purge
	let_go
	rm -rf --one-file-system "$work/root"
}

if [ $# -gt 0 ]; then
	life "${1:?}" "${2:?FIRST.deb}" "${3:?SECOND.deb}"
	exit
fi
for n in one two; do
	rm -rf "build/deb/test/$n"
	DEB_OUT=build/deb/test/$n VERSION=$([ "$n" = one ] && echo "${VERSION:-}" || echo v999.0.0) packaging/build.sh
done
for a in amd64 arm64; do
	one=$(compgen -G "build/deb/test/one/*_$a.deb" || true)
	if [ -n "$one" ]; then life "$a" "$one" "$(compgen -G "build/deb/test/two/*_$a.deb")"; fi
done
packaging/reproducible.sh build/deb/test/one/*.deb
