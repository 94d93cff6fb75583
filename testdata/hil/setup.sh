#!/usr/bin/env bash
# setup.sh arm64|amd64 CACHE: puts a stock Debian kernel, the start of a guest and ONNX
# Runtime into CACHE/ARCH/. Does nothing where they are there already.
#
# It says which packages of this machine are missing and fails, or exits with code 77
# where QEMU or Debian's packages cannot be had.
#
# The packages are only unpacked below the cache, through an apt root of its own: the
# machine's own packages and architectures stay as they are. Kernel versions leave the
# mirrors, so the version is what linux-image-ARCH depends on now, and the packages
# are kept.
set -euo pipefail
arch=${1:?usage: setup.sh arm64|amd64 CACHE}
cache=${2:?usage: setup.sh arm64|amd64 CACHE}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$cache/$arch"
out=$(cd "$cache/$arch" && pwd)

PATH=$PATH:/sbin:/usr/sbin
missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
case $arch in
arm64) need qemu-system-aarch64 qemu-system-arm ;;
amd64) need qemu-system-x86_64 qemu-system-x86 ;;
*)
	echo "setup: $arch: it is arm64 or amd64" >&2
	exit 1
	;;
esac
if [ ${#missing[@]} -gt 0 ] && ! apt-cache show "${missing[0]}" >/dev/null 2>&1; then
	echo "setup: there is no ${missing[0]} here, and nowhere to install it from" >&2
	exit 77
fi
[ -d /usr/share/qemu ] || missing+=(qemu-system-data)
need cpio cpio
need busybox busybox-static
need depmod kmod
need mosquitto mosquitto
need xz xz-utils
need zstd zstd
need mkfs.ext4 e2fsprogs
need npm npm
if [ "$arch" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then
	need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
	[ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ] || missing+=(libc6-dev-arm64-cross)
fi
if [ ${#missing[@]} -gt 0 ]; then
	echo "setup: missing here: apt-get install --no-install-recommends ${missing[*]}" >&2
	exit 1
fi

# Made by this very script: there is nothing to do.
stamp=$(cat "$here/setup.sh" "$here/init" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
echo "setting up a guest for $arch in $out"
cd "$out"
rm -f stamp

strip=strip
cross=()
if [ "$arch" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then
	strip=aarch64-linux-gnu-strip
	cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-)
fi

apt_root() {
	mkdir -p apt/lists/partial apt/cache/archives/partial
	: >apt/status
	local suite
	for suite in "debian/ bookworm" "debian-security/ bookworm-security"; do
		echo "deb [arch=$arch,amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/$suite main"
	done >apt/sources.list
	cat >apt/conf <<-CONF
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; "amd64"; };
		Dir::Etc::sourcelist "$out/apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::State "$out/apt";
		Dir::State::status "$out/apt/status";
		Dir::Cache "$out/apt/cache";
		Acquire::Languages "none";
		Acquire::Retries "3";
		APT::Sandbox::User "root";
	CONF
	APT_CONFIG=$out/apt/conf apt-get -qq update
}

private() { APT_CONFIG=$out/apt/conf "$@"; }

# kernel_now prints the version that Debian ships now, such as 6.1.0-56.
kernel_now() {
	private apt-cache show "linux-image-$arch:$arch" |
		sed -n "s/^Depends: linux-image-\([0-9.]*-[0-9]*\)-$arch.*/\1/p" | sort -V | tail -n 1
}

download() {
	apt_root || {
		echo "setup: deb.debian.org does not give its list of packages" >&2
		exit 77
	}
	version=$(kernel_now)
	[ -n "$version" ] || {
		echo "setup: linux-image-$arch depends on no kernel of the form VERSION-$arch; see apt-cache show in $out/apt" >&2
		exit 1
	}
	local series=${version%%-*}
	series=${series%.*}
	local names=("linux-image-$version-$arch:$arch" "busybox-static:$arch")
	if [ "$arch" = amd64 ]; then # its board has no GPIO of its own; see gpio_sim
		names+=("linux-headers-$version-$arch:$arch" "linux-headers-$version-common" "linux-source-$series" "linux-kbuild-$series:amd64")
	fi
	rm -rf deb
	mkdir deb
	(cd deb && private apt-get -qq download "${names[@]}")
	echo "$version" >version
}

# number prints the 32-bit number at an offset of a file, bytes so many bytes of it.
number() { od -An -tu4 --endian=little -j "$2" -N 4 "$1" | tr -d ' '; }
# (tail does not get to write all that it has.)
bytes() { { tail -c +$(($2 + 1)) "$1" || true; } | head -c "$3"; }

# unpack_kernel writes what QEMU boots at once: unpacking in the guest takes longer
# than everything else of a boot.
unpack_kernel() {
	local from size
	case $arch in
	amd64) # the setup header of a bzImage says where the packed ELF file is
		from=$((($(od -An -tu1 -j $((0x1f1)) -N 1 "$1" | tr -d ' ') + 1) * 512 + $(number "$1" $((0x248)))))
		size=$(number "$1" $((0x24c)))
		if [ "$(bytes "$1" "$from" 4 | od -An -tx1 | tr -d ' ')" = 28b52ffd ]; then
			bytes "$1" "$from" $((size - 4)) | zstd -dcq >kernel # its length comes after it
		else
			bytes "$1" "$from" "$size" | xz -dcq --single-stream >kernel
		fi
		[ "$(head -c 4 kernel | tail -c 3)" = ELF ] || {
			echo "setup: $1 holds no ELF file" >&2
			exit 1
		}
		;;
	arm64) # plain, or from 6.7 on with a shell for EFI
		if [ "$(bytes "$1" 4 4 | tr -d '\0')" = zimg ]; then
			bytes "$1" "$(number "$1" 8)" "$(number "$1" 12)" | gzip -dcq >kernel || true # what follows the stream
		else
			cp "$1" kernel
		fi
		[ "$(bytes kernel 56 3)" = ARM ] || {
			echo "setup: $1 is no arm64 image" >&2
			exit 1
		}
		;;
	esac
}

# gpio_sim builds the kernel's own gpio-sim, which Debian leaves out, as a module
# outside the tree. irq_sim is left out too and goes into the same module;
# irq_to_desc is not exported and generic_handle_irq does the same.
gpio_sim() {
	local series=${version%%-*}
	series=${series%.*}
	local source=linux-source-$series headers=$out/k/usr/src/linux-headers-$version-$arch
	rm -rf gs
	mkdir gs
	dpkg-deb --fsys-tarfile deb/"$source"_*.deb | tar -xO "./usr/src/$source.tar.xz" |
		tar -xJ -C gs --strip-components=3 "$source/drivers/gpio/gpio-sim.c" "$source/drivers/gpio/gpiolib.h" "$source/kernel/irq/irq_sim.c"
	sed -i 's/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/' gs/irq_sim.c
	printf 'obj-m := gpio-sim-hil.o\ngpio-sim-hil-y := gpio-sim.o irq_sim.o\n' >gs/Kbuild
	# The header packages name each other by absolute path.
	sed -i "s#\([ =]\)/usr/src/linux-headers-#\1$out/k/usr/src/linux-headers-#g" "$headers/Makefile"
	make -s -C "$headers" M="$out/gs" CONFIG_DEBUG_INFO_BTF_MODULES= "${cross[@]}" modules >gs/log 2>&1
	$strip --strip-debug gs/gpio-sim-hil.ko
}

# modules of the guest; modprobe in the guest finds what they need.
modules="virtio_pci virtio_blk virtio_net virtio_console ext4 crc32c_generic evdev xhci_pci ohci_pci ftdi_sio usbhid hid_generic uvcvideo vivid configfs"

initramfs() {
	local name=$version-$arch root=$out/root
	rm -rf "$root"
	mkdir -p "$root"/{bin,etc,proc,sys,dev,run,tmp,data,hil,lib,"lib/modules/$name/extra"}
	cp bb/bin/busybox "$root/bin/"
	ln -s bin "$root/sbin" # the kernel calls /sbin/modprobe
	local applet
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	depmod -b k "$name"
	local m file target
	for m in $modules; do
		/sbin/modprobe -d "$out/k" -S "$name" --show-depends "$m" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
	done | sort -u | while read -r file; do
		target=$root/lib/modules/$name/${file#*/lib/modules/"$name"/}
		mkdir -p "$(dirname "$target")"
		cp "$file" "$target"
		if [[ $target == *.xz ]]; then
			xz -d "$target"
			target=${target%.xz}
		fi
		$strip --strip-debug "$target"
	done
	[ ! -f gs/gpio-sim-hil.ko ] || cp gs/gpio-sim-hil.ko "$root/lib/modules/$name/extra/"
	cp "k/lib/modules/$name"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$name/"
	depmod -b "$root" "$name"
	install -m 755 "$here/init" "$root/init"
	# Not compressed: to copy is cheaper under emulation than to unpack.
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) >base.cpio
}

[ -f version ] && [ -d deb ] || download
version=$(cat version)
rm -rf k bb
for package in deb/linux-*.deb; do
	case $package in
	*/linux-source-*) ;;
	*) dpkg-deb -x "$package" k ;;
	esac
done
dpkg-deb -x deb/busybox-static_*.deb bb
unpack_kernel "k/boot/vmlinuz-$version-$arch"
if [ "$arch" = amd64 ] && ! gpio_sim; then
	echo "setup: gpio-sim could not be built, see $out/gs/log" >&2
	rm -f gs/gpio-sim-hil.ko
fi
initramfs
"$here/../../inference/onnx/fetch.sh" "$out" "$arch"
echo "$stamp" >stamp
