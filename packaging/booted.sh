#!/usr/bin/env bash
# Boots a Debian in QEMU, installs the package there as docs/install.md tells a
# technician, and lives with it: what systemd, udev and a restart make of it, which a
# chroot (packaging/lifecycle.sh) cannot show. Each step prints a line, the first that
# fails ends the test.
#
#     packaging/booted.sh [amd64|arm64]                builds two versions and tests them
#     packaging/booted.sh ARCH FIRST.deb SECOND.deb    tests these
#
# The system comes from debootstrap and is kept in build/deb/roots; SUITE names another
# than bookworm. The kernel comes from testdata/hil/setup.sh and is kept in HIL_CACHE
# (default: build/hil). It needs root, and skips with a reason where that, debootstrap
# or QEMU is missing. amd64 takes about ten minutes, of which most is emulation.
set -Eeuo pipefail
umask 022
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/.."
arch=${1:-amd64}
suite=${SUITE:-bookworm}
roots=build/deb/roots
cache=${HIL_CACHE:-build/hil}

skip() {
	echo "skipped: $*"
	exit 0
}
case $arch in
amd64) emulator=qemu-system-x86_64 emulator_package=qemu-system-x86 ;;
arm64) emulator=qemu-system-aarch64 emulator_package=qemu-system-arm ;;
*) echo "booted: $arch: it is amd64 or arm64" >&2 && exit 2 ;;
esac
[ "$(id -u)" = 0 ] || skip "debootstrap and owners of files need root; run sudo make deb-boot"
while read -r tool package; do
	command -v "$tool" >/dev/null || skip "$tool is missing (apt-get install $package)"
done <<END
debootstrap debootstrap
$emulator $emulator_package
mkfs.ext4 e2fsprogs
ssh openssh-client
mosquitto mosquitto
mosquitto_sub mosquitto-clients
END
if [ -z "${GADEBLIK_BOOTED:-}" ]; then
	GADEBLIK_BOOTED=1 exec unshare --mount --propagation private "$0" "$@"
fi

# shellcheck source=packaging/emulate.sh
. packaging/emulate.sh
# shellcheck source=packaging/booted/machine.sh
. packaging/booted/machine.sh

work=$(mktemp -d)
current=start
failed=""
tidy() {
	[ -z "$failed" ] || account
	power_off
	local process
	for process in ${broker:-} ${receiver:-}; do kill "$process" 2>/dev/null || true; done
	emulate_no_more
	umount --recursive --lazy "$work/fresh/proc" "$work/fresh/sys" 2>/dev/null || true
	rm -rf --one-file-system "$work"
}
# account tells what is needed to understand a failure.
account() {
	[ -e "$work/disk.img" ] || return 0
	LIMIT=60 shell root "systemctl status gadeblik -n 0; journalctl -u gadeblik -b -n 30 --no-pager; systemctl --failed --no-legend" >&2 ||
		tail -n 20 "$work/console.log" >&2 || true
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

# root LINE and pi LINE: in the machine; pi is the technician.
root() { shell root "$1"; }
pi() { shell pi "$1"; }

# refused USER LINE: prints what it says, and insists that it fails.
refused() {
	local text
	if text=$(shell "$1" "$2" 2>&1); then
		echo "$1 may '$2', and must not: $text" >&2
		return 1
	fi
	echo "$text"
}

# await SECONDS LINE PIECE: until what root's LINE says has the piece in it. It prints
# the seconds that took.
await() {
	local began=$SECONDS says=
	while [ $((SECONDS - began)) -le "$1" ]; do
		says=$(root "$2" 2>&1 || true)
		if grep -qF -- "$3" <<<"$says"; then
			echo $((SECONDS - began))
			return
		fi
		sleep 1
	done
	printf '%s: no "%s" in %s s, but:\n%s\n' "$2" "$3" "$1" "$says" >&2
	return 1
}

# written WORDS [MORE]: the command of docs/install.md that begins so and holds MORE, to
# its last line, with this package's name and this test's broker.
written() {
	local line
	line=$(awk -v words="    $1" -v more="${2:-}" '
		index($0, words) == 1 || index($0, "    " words) == 1 { on = 1; all = "" }
		on { all = all $0 "\n" }
		on && !/\\$/ { on = 0; if (index(all, more)) { printf "%s", all; exit } }' docs/install.md)
	[ -n "$line" ] || { echo "docs/install.md has no command that begins with '$1' and holds '${2:-}'" >&2 && return 1; }
	sed -e "s|gadeblik_V_[a-z0-9]*.deb|${package:-}|" -e "s|tls://broker.example:8883|$broker_address|" <<<"$line"
}

# told WORDS [INPUT]: the technician does what is written there, and it works. It prints
# what that says.
told() {
	local line text input=
	line=$(written "$1")
	[ -z "${2:-}" ] || input="echo '$2' | "
	text=$(pi "$input$line" 2>&1) || { printf 'from docs/install.md:\n%s\n%s\n' "$line" "$text" >&2 && return 1; }
	[ -z "$text" ] || echo "$text"
}

# shown PROPERTY...: a line that says what systemctl show does of these; show runs it.
shown() { echo "for p in $*; do systemctl show gadeblik -P \$p; done | xargs"; }
show() { root "$(shown "$@")"; }
answers() { root "gadeblik switch status"; }

ready() {
	mosquitto_passwd -b -c "$work/passwords" sweeper-03 "wet leaves"
	mosquitto_passwd -b "$work/passwords" office "dry paper"
	local port
	port=$(free_port)
	printf 'listener %s 127.0.0.1\nallow_anonymous false\npassword_file %s\nuser root\n' "$port" "$work/passwords" >"$work/mosquitto.conf"
	mosquitto -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
	broker=$!
	broker_port=$port broker_address=tcp://10.0.2.2:$port
	mkfifo "$work/gps.in" "$work/gps.out"
	receive &
	receiver=$!
	ssh_port=$(free_port)
}

# retained prints what the broker keeps of the vehicle's status.
retained() {
	mosquitto_sub -p "$broker_port" -u office -P "dry paper" -t gadeblik/v1/copenhagen-sweepers/sweeper-03/status -C 1 -W 10 |
		sed 's/.*"state":"\([a-z_]*\)".*/\1/'
}

boot() {
	step "Debian boots with systemd"
	debian
	furnish
	disk
	local began=$SECONDS
	power_on
	up
	expect "first process" "$(root "cat /proc/1/comm")" systemd
	ok "$(root "uname -m; systemctl --version | head -n 1" | xargs), in $((SECONDS - began)) s"
}

# everything lists what is in the system but for logs, caches, homes, what is remembered
# of packages and what runs.
everything() {
	root "find / -xdev \\( -path /home -o -path /root -o -path /tmp -o -path /var/tmp -o -path /var/cache -o -path /var/log -o -path /var/lib/dpkg \
		-o -path /var/lib/apt -o -path /var/lib/systemd -o -path /var/lib/sudo -o -path '/etc/*-' -o -path /etc/.pwd.lock \\) -prune -o -print | sort"
}

install_package() {
	step "apt installs the package"
	everything >"$work/before"
	bring "$1"
	package=${1##*/}
	contains "what the installation says" "$(LIMIT=400 told "sudo apt install ./gadeblik_V_arm64.deb")" "now edit /etc/gadeblik/gadeblik.yaml"
	ok "$package"
	step "the agent is enabled, and waits for keys"
	expect enabled "$(show UnitFileState)" enabled
	expect "before the start" "$(show ActiveState)" inactive
	told "sudo systemctl start gadeblik"
	expect "after the start" "$(show ActiveState)" inactive
	contains "systemctl status" "$(pi "systemctl status gadeblik" || true)" "start condition failed" "ConditionDirectoryNotEmpty=/etc/gadeblik/keys was not met"
	expect inbox "$(root "systemctl is-enabled gadeblik-inbox; systemctl is-active gadeblik-inbox" || true)" $'disabled\ninactive'
	ok
	devices
}

# devices: what udev and modules-load promise.
devices() {
	step "drivers are loaded, and devices belong to their groups${1:+ $1}"
	local name
	while read -r name; do
		root "test -d /sys/module/$name" || { echo "$name of systemd/gadeblik.modules-load.conf is not loaded" >&2 && return 1; }
	done < <(grep -v '^#' systemd/gadeblik.modules-load.conf)
	# A rule may come some time after the device.
	root "udevadm settle --timeout=60"
	expect "GPIO chip" "$(root "stat -c '%a %U:%G' /dev/gpiochip0")" "660 root:gpio"
	expect "serial port" "$(root "stat -c '%a %U:%G' /dev/ttyUSB0")" "660 root:dialout"
	expect camera "$(root "stat -c '%a %U:%G' /dev/video0")" "660 root:video"
	contains "udev's notes on /dev/ttyUSB0, for ModemManager," "$(root "udevadm info --query=property /dev/ttyUSB0")" "ID_MM_DEVICE_IGNORE=1"
	gps_name=$(root "ls /dev/serial/by-id/*")
	camera_name=$(root "ls /dev/v4l/by-path/*index0")
	ok "$gps_name, $camera_name"
}

configure() {
	step "keys, configuration and the broker's password"
	told "gadeblik keys new orders-1" >/dev/null
	told "gadeblik keys new --age office.age" >/dev/null
	told "sudo install -m 644 orders-1.pub office.age.pub"
	# The larger models have to be fetched, and an emulated processor looks slowly.
	local edits="/^gps:/,/^time:/s|^  device: .*|  device: $gps_name|
/^camera:/,/^models:/s|^  device: .*|  device: $camera_name|
/^camera:/,/^models:/s|^  width: .*|  width: 640|
/^camera:/,/^models:/s|^  height: .*|  height: 480|
/yolox_nano\|yunet_\|PP-OCRv3/d
s|^  timeout: 2s|  timeout: 1m|
s|/keys/orders-1.pub .*|/keys/orders-1.pub|
/orders-2.pub/d
s|tls://mqtt.example.com:8883.*|$broker_address|
s|^  username: .*|  username: sweeper-03|
s|^  password_file: .*|  password_file: mqtt.password|"
	if [ "$arch" = amd64 ]; then
		edits+="
/^  button:/,/^  lamp:/s|^    line: .*|    line: GPIO17|
/^  lamp:/,/^seal:/s|^    line: .*|    line: GPIO27|"
	else
		edits+="
/^  lamp:/,/^seal:/s|^    line: .*|    line: \"9030000.pl061:6\"|"
	fi
	pi "sudo sed -i '$edits' /etc/gadeblik/gadeblik.yaml"
	told "sudo install -m 600 /dev/stdin /etc/gadeblik/mqtt.password" "wet leaves"
	told "sudo install -D -m 644 /usr/share/doc/gadeblik/examples/mqtt-password.conf"
	told "sudo systemctl daemon-reload"
	ok
	step "gadeblik check, with the password as a credential"
	contains check "$(pi "$(written "sudo systemd-run" "gadeblik check")" 2>&1)" "in order"
	ok
}

# judged WHAT TEXT WARNED: no line of the doctor's fails, and those are in doubt that are
# known to be: WARNED. An emulated processor looks slowly, and nobody sets its clock.
judged() {
	local odd
	odd=$(grep -E '^(fail|warn) ' <<<"$2" | grep -vE "^(fail|warn)  (look|runtime) |^warn  (models|clock${3:+|$3}) |^warn  disk .*: that is slow" || true)
	[ -z "$odd" ] || { printf '%s says\n%s\n' "$1" "$2" >&2 && return 1; }
	grep -qE '^ok ' <<<"$2" || { printf '%s says\n%s\n' "$1" "$2" >&2 && return 1; }
}

doctor() {
	step "the doctor, with the service's credentials"
	local says
	says=$(pi "$(written "sudo systemd-run" "gadeblik doctor")" 2>&1 || true)
	judged "doctor of systemd-run" "$says" "unit|orders"
	contains "doctor of systemd-run" "$says" "$broker_address takes the vehicle in" "fix at 55.68583, 12.55417" "(vivid): YUYV 640x480" "no orders yet"
	ok
	step "the doctor, asked by root and by the service's user"
	judged "sudo gadeblik doctor" "$(pi "sudo gadeblik doctor" || true)" "unit|orders"
	judged "sudo -u gadeblik gadeblik doctor" "$(pi "$(written "sudo -u gadeblik gadeblik doctor")" || true)" "unit|orders|broker"
	ok
}

start() {
	step "systemctl start: ready when it says so, with a word on how it is"
	told "sudo systemctl start gadeblik"
	expect active "$(show ActiveState)" active
	expect type "$(show Type)" notify
	contains "systemctl status" "$(told "systemctl status gadeblik")" "Active: active (running)" 'Status: "off: switch_off; orders 0; 0 waiting"'
	contains "journalctl -u gadeblik" "$(pi "journalctl --no-pager -u gadeblik")" "msg=started"
	ok "$(show StatusText)"
	step "the GPS is heard and the broker reached"
	await 60 "gadeblik switch status --json" '"uplink_connected":1' >/dev/null
	await 60 "gadeblik doctor --json | grep '\"gps\"'" "fixes so far" >/dev/null
	expect "retained status" "$(retained)" off
	ok "$(answers | head -n 2 | xargs)"
}

socket() {
	step "the control socket answers root and the group gadeblik, and nobody else"
	expect folder "$(root "stat -c '%a %U:%G' /run/gadeblik")" "750 gadeblik:gadeblik"
	expect socket "$(root "stat -c '%a %U:%G' /run/gadeblik/control.sock")" "660 gadeblik:gadeblik"
	contains "root's" "$(told "sudo gadeblik switch status")" "switch off since"
	contains "of a technician's" "$(refused pi "gadeblik switch status")" "permission denied"
	contains "of a driver's" "$(refused driver "gadeblik switch on")" "permission denied" "--groups gadeblik"
	pi "$(grep -o 'sudo usermod --append --groups gadeblik pi' docs/install.md)"
	hang_up
	contains "of a member's" "$(pi "gadeblik switch status")" "switch off since"
	ok
}

# work_it gives orders and lets it look, so that every device is in use.
work_it() {
	step "signed orders arrive, and it looks where they say"
	told "cp /usr/share/doc/gadeblik/examples/orders.geojson orders.geojson"
	# At all hours of the next decades.
	pi "sed -i -e '/\"hours\":/d' -e '/\"weekdays\":/d' -e '/\"dates\":/d' -e 's/\"timezone\": .*/\"timezone\": \"UTC\"/' \
		-e 's/\"not_before\": .*/\"not_before\": \"2026-01-01T00:00:00Z\",/' -e 's/\"not_after\": .*/\"not_after\": \"2099-01-01T00:00:00Z\"/' orders.geojson"
	told "gadeblik orders check orders.geojson" >/dev/null
	told "gadeblik orders sign orders.geojson --key orders-1" >/dev/null
	told "gadeblik orders verify orders.geojson.signed" >/dev/null
	pi "umask 077; echo 'dry paper' >office.password"
	contains push "$(pi "$(written "gadeblik orders push") --username office --password-file office.password")" "sweeper-03: version 7 is in force"
	pi "gadeblik switch on" >/dev/null
	await 120 "gadeblik switch status" "agent  capturing: open" >/dev/null
	main=$(show MainPID)
	await 60 "ls -l /proc/$main/fd" /dev/video0 >/dev/null
	await 60 "ls -l /proc/$main/fd" /dev/ttyUSB0 >/dev/null
	ok "$(show StatusText)"
	panel
	step "the doctor asks the agent that holds them"
	judged "sudo gadeblik doctor" "$(pi "sudo gadeblik doctor" || true)"
	ok
}

# panel switches off: with the button where somebody can press it.
panel() {
	if [ "$arch" != amd64 ]; then
		pi "gadeblik switch off" >/dev/null
		return
	fi
	step "button and lamp are within its reach"
	contains "what it holds open" "$(root "ls -l /proc/$main/fd")" "anon_inode:gpio-line"
	await 60 "cat /run/board/sim_gpio27/value" 1 >/dev/null
	root "echo pull-down >/run/board/sim_gpio17/pull; sleep 0.3; echo pull-up >/run/board/sim_gpio17/pull"
	await 60 "gadeblik switch status" "(by button)" >/dev/null
	contains "after a press" "$(answers)" "switch off since"
	ok
}

# inside USER LINE: as that user within the service's control group and its view of the
# files, where its device policy holds too.
inside() {
	local as="setpriv --reuid $1 --regid $1 --init-groups --bounding-set -all --inh-caps -all --no-new-privs"
	[ "$1" != root ] || as=
	root "sh -c 'echo \$\$ >/sys/fs/cgroup/system.slice/gadeblik.service/cgroup.procs && exec nsenter --target $main --mount $as sh -c \"\$1\"' sh '$2' 2>&1"
}

sandbox() {
	step "the sandbox holds: user, rights, limits"
	local status
	main=$(show MainPID)
	status=$(root "cat /proc/$main/status" | tr '\t' ' ')
	contains "/proc/PID/status" "$status" "Uid: $(root "id -u gadeblik") " "NoNewPrivs: 1" "Seccomp: 2" \
		"CapEff: 0000000000000000" "CapPrm: 0000000000000000" "CapBnd: 0000000000000000" "Umask: 0077"
	expect groups "$(root "sed -n 's/^Groups:\t//p' /proc/$main/status | xargs -n 1 getent group | cut -d: -f1" | sort | xargs)" "dialout gadeblik gpio input video"
	contains limits "$(root "tr -s ' ' </proc/$main/limits")" "Max core file size 0 0"
	expect "LimitCORE, which holds before the program can see to that itself," "$(show LimitCORE)" 0
	expect "swap it may use" "$(root "cat /sys/fs/cgroup/system.slice/gadeblik.service/memory.swap.max")" 0
	ok
	step "the sandbox holds: files"
	# What is writable beside its own two folders is private to it, or memory.
	expect "folders it may write to" "$(inside gadeblik "find / -path /proc -prune -o -path /sys -prune -o -type d -writable -print -prune 2>/dev/null" | sort | xargs)" \
		"/dev/mqueue /dev/shm /run/gadeblik /run/lock /tmp /var/lib/gadeblik /var/tmp"
	local place
	for place in /etc /usr/bin /var/lib /opt /boot; do
		contains "even root within it, in $place," "$(inside root "touch $place/gadeblik-was-here" || true)" "Read-only file system"
	done
	expect "what it sees in /home and /root" "$(inside root "ls -A /home /root" | xargs)" "/home: /root:"
	root "touch /tmp/of-others"
	expect "/tmp" "$(inside gadeblik "ls -A /tmp")" ""
	expect "processes of others" "$(inside gadeblik "test -e /proc/1 && echo seen" || true)" ""
	ok
	step "the sandbox holds: devices"
	for place in /dev/vda /dev/mem; do
		contains "even root within it, with $place," "$(inside root "head -c 1 $place" || true)" "Operation not permitted"
	done
	expect camera "$(inside gadeblik "exec 3<>/dev/video0 && echo open")" open
	expect "GPIO chip" "$(inside gadeblik "exec 3<>/dev/gpiochip0 && echo open")" open
	ok
	step "the broker's password is the service's alone"
	expect "file" "$(root "stat -c '%a %U:%G' /etc/gadeblik/mqtt.password")" "600 root:root"
	contains "the agent's user" "$(refused pi "sudo -u gadeblik cat /etc/gadeblik/mqtt.password")" "Permission denied"
	contains "somebody else" "$(refused driver "cat /run/credentials/gadeblik.service/mqtt.password")" "Permission denied"
	ok
}

# revives HOW SIGNAL SECONDS: within so many seconds another process runs.
revives() {
	local restarts took
	main=$(show MainPID)
	restarts=$(show NRestarts)
	root "kill -$2 $main"
	took=$(await "$3" "$(shown NRestarts ActiveState)" "$((restarts + 1)) active")
	[ "$(show MainPID)" != "$main" ] || { echo "$1: it is the same process" >&2 && return 1; }
	echo "$took"
}

restarts() {
	step "one that hangs is killed by the watchdog, and starts anew"
	local took
	took=$(revives hang STOP 120)
	contains "what systemd says" "$(root "journalctl -b --no-pager -u gadeblik _PID=1")" "Watchdog timeout (limit 30s)!"
	ok "after $took s"
	step "one that is killed starts anew"
	took=$(revives kill KILL 90)
	contains "switch status" "$(answers)" "switch off since" "orders version 7"
	ok "after $took s"
}

stop() {
	step "systemctl stop ends it in order, and the broker is told"
	await 60 "gadeblik switch status" "uplink connected" >/dev/null
	local began=$SECONDS
	told "sudo systemctl stop gadeblik"
	expect "exit code, result and state" "$(show ExecMainStatus Result ActiveState)" "0 success inactive"
	[ $((SECONDS - began)) -lt 30 ]
	expect "retained status" "$(retained)" stopped
	root "test ! -e /run/gadeblik"
	ok "in $((SECONDS - began)) s"
}

restart_computer() {
	step "the computer starts again, and the agent with it"
	hang_up
	root "systemctl reboot" || true
	local wait
	for ((wait = 0; wait < 120; wait++)); do
		kill -0 "$qemu" 2>/dev/null || break
		sleep 1
	done
	if kill -0 "$qemu" 2>/dev/null; then
		echo "it does not go down in 120 s" >&2
		return 1
	fi
	hang_up
	power_on
	up
	await 180 "$(shown NRestarts ActiveState)" "0 active" >/dev/null
	contains "switch status" "$(pi "gadeblik switch status")" "switch off since" "orders version 7"
	expect folder "$(root "stat -c '%a %U:%G' /run/gadeblik")" "750 gadeblik:gadeblik"
	await 60 "gadeblik switch status" "uplink connected" >/dev/null
	ok "$(show StatusText)"
	devices "after the start"
}

upgrade() {
	step "an upgrade goes on with the new program"
	main=$(show MainPID)
	bring "$1"
	package=${1##*/}
	LIMIT=400 told "sudo apt install ./gadeblik_V_arm64.deb" >"$work/apt.log" || { cat "$work/apt.log" >&2 && false; }
	await 120 "echo =\$($(shown ActiveState))" =active >/dev/null
	[ "$(show MainPID)" != "$main" ] || { echo "the old process goes on" >&2 && false; }
	expect program "$(root "readlink /proc/\$(systemctl show gadeblik -P MainPID)/exe")" /usr/bin/gadeblik
	contains "switch status" "$(answers)" "orders version 7"
	local version
	version=$(root "gadeblik version")
	contains journal "$(root "journalctl -b --no-pager -u gadeblik | grep msg=started | tail -n 1")" "version=$(cut -d' ' -f2 <<<"$version" | tr -d ,) "
	ok "$version"
}

remove() {
	step "apt remove stops it"
	main=$(show MainPID)
	LIMIT=300 told "sudo apt remove gadeblik" y >"$work/apt.log" || { cat "$work/apt.log" >&2 && false; }
	root "test ! -e /proc/$main && test ! -e /run/gadeblik && test ! -e /usr/bin/gadeblik"
	expect state "$(show ActiveState)" inactive
	expect "retained status" "$(retained)" stopped
	root "test -e /var/lib/gadeblik/device.key && test -e /etc/gadeblik/keys/orders-1.pub"
	ok
	step "apt purge leaves nothing"
	contains purge "$(LIMIT=300 told "sudo apt purge gadeblik" y)" "deleting /var/lib/gadeblik" "deleting /etc/gadeblik"
	told "sudo rm -r /etc/systemd/system/gadeblik.service.d"
	everything >"$work/after"
	expect "what is left" "$(comm -13 "$work/before" "$work/after")" ""
	expect "what is missing" "$(comm -23 "$work/before" "$work/after")" ""
	expect "users and groups left" "$(root "grep -hE '^gadeblik' /etc/passwd /etc/group" || true)" ""
	expect "units left" "$(root "systemctl list-units --all --no-legend 'gadeblik*'; systemctl list-unit-files --no-legend 'gadeblik*'")" ""
	expect "failed units" "$(root "systemctl --failed --no-legend")" ""
	ok
}

packages() {
	local n
	for n in one two; do
		rm -rf "build/deb/boot/$n"
		DEB_OUT=build/deb/boot/$n VERSION=$([ "$n" = one ] && echo "${VERSION:-}" || echo v999.0.0) packaging/build.sh "$arch"
	done
	first=$(compgen -G "build/deb/boot/one/*_$arch.deb")
	second=$(compgen -G "build/deb/boot/two/*_$arch.deb")
}

# In one piece, so that it does not matter when somebody edits this meanwhile.
main() {
	local code=0
	testdata/hil/setup.sh "$arch" "$cache" || code=$?
	[ "$code" != 77 ] || skip "the kernel's package cannot be had, see above"
	[ "$code" = 0 ] || exit "$code"
	if [ $# -gt 1 ]; then
		first=$2 second=${3:?SECOND.deb}
	else
		packages
	fi
	ready
	boot
	install_package "$first"
	configure
	doctor
	start
	socket
	work_it
	sandbox
	restarts
	stop
	restart_computer
	upgrade "$second"
	remove
}
main "$@"
