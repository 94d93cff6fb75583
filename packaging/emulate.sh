# Sourced by the tests of the packages: lets this kernel run arm64 programs, for as long
# as a test takes.
# shellcheck shell=bash
binfmt=/proc/sys/fs/binfmt_misc
entry=gadeblik-test-$$

# emulate registers the emulator, unless somebody has; it fails where that cannot be had.
emulate() {
	[ -e "$binfmt/register" ] || mount -t binfmt_misc binfmt_misc "$binfmt" || return 1
	if grep -qs 'flags:.*F' "$binfmt/qemu-aarch64"; then
		return
	fi
	command -v qemu-aarch64-static >/dev/null || return 1
	local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
	local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
	echo ":$entry:M::$magic:$mask:$(command -v qemu-aarch64-static):FC" >"$binfmt/register"
}

# emulate_no_more takes back what emulate did. Another run that goes on meanwhile has an
# entry of its own.
emulate_no_more() { [ ! -e "$binfmt/$entry" ] || echo -1 >"$binfmt/$entry"; }
