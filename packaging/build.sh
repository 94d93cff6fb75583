#!/usr/bin/env bash
# Builds build/deb/gadeblik_VERSION_ARCH.deb for Debian 12 and newer, Raspberry Pi OS
# and Ubuntu 22.04 and newer.
#
#     packaging/build.sh [ARCH...]
#
# ARCH is amd64 or arm64; without any: this machine's, and the other where a cross
# compiler for it is installed. It takes from the environment
#
#     VERSION             as git describe says it (default: that)
#     SOURCE_DATE_EPOCH   seconds; the time of all files (default: the last commit's)
#     DEB_OUT             folder to write to (default: build/deb)
#     DEB_RUNTIMES        folder that ONNX Runtime is fetched into (default: build/deb/onnxruntime)
#     DEBFULLNAME, DEBEMAIL   who maintains the package
#
# The same sources, version and time give the same bytes, wherever and whenever.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/.."
here=$PWD
out=${DEB_OUT:-build/deb}
runtimes=${DEB_RUNTIMES:-build/deb/onnxruntime}
GO=${GO:-go}

fail() {
	echo "build package: $*" >&2
	exit 1
}

version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || true)}
[ -n "$epoch" ] || fail "this is no git checkout: set SOURCE_DATE_EPOCH to the time the files should have, in seconds"
export SOURCE_DATE_EPOCH=$epoch
day=$(date -u -d "@$epoch" +%Y-%m-%d)
maintainer="${DEBFULLNAME:-Gadeblik maintainers} <${DEBEMAIL:-maintainers@gadeblik.invalid}>"

# v1.2.3 is 1.2.3; what follows a tag sorts after it, what has none before everything.
debian_version() {
	local v=${version#v}
	case $v in
	[0-9]*.*) v=$(sed -E 's/-([0-9]+)-g([0-9a-f]+)/+\1.g\2/; s/-dirty$/+0.dirty/; s/-/~/g' <<<"$v") ;;
	*) v="0~git${day//-/}.${v//-/.}" ;;
	esac
	[[ $v =~ ^[0-9][A-Za-z0-9.+~]*$ ]] || fail "VERSION $version makes no version of a package ($v)"
	echo "$v-1"
}
debver=$(debian_version)

compiler() {
	case $1 in
	"$(dpkg --print-architecture)") echo "${CC:-gcc}" ;;
	amd64) echo x86_64-linux-gnu-gcc ;;
	arm64) echo aarch64-linux-gnu-gcc ;;
	esac
}

# newest NAME FILE...: the newest version of a set of symbols, such as GLIBC, that files need.
newest() {
	local name=$1
	shift
	for f in "$@"; do readelf --version-info --wide "$f"; done |
		grep -oE "Name: ${name}_[0-9.]+" | sed "s/.*_//" | sort -Vu | tail -n 1
}

# libstdc++6 counts like the compiler it comes from, its symbols do not.
stdcxx() {
	case $1 in
	3.4.2[0-2]) echo 6 ;;
	3.4.2[3-4]) echo 7 ;;
	3.4.25) echo 8 ;;
	3.4.2[6-8]) echo 9 ;;
	3.4.29) echo 11 ;;
	3.4.3[0-1]) echo 12 ;;
	*) fail "ONNX Runtime needs GLIBCXX_$1: say in packaging/build.sh which libstdc++6 has it" ;;
	esac
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Manual and completions are of this machine's program, and depend on nothing around it.
prepare() {
	echo "gadeblik $debver: manual and completions"
	CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -ldflags "-X main.version=$version" -o "$work/gadeblik" ./cmd/gadeblik
	"$GO" build -trimpath -buildvcs=false -o "$work/bill" ./packaging/bill
	mkdir -p "$work/empty/empty" "$work/completion"
	cp configs/gadeblik.yaml "$work/"
	(
		cd "$work/empty/empty"
		env -i "$work/gadeblik" man "$work/man" --configuration "$work/gadeblik.yaml" --date "$day"
		for shell in bash zsh fish; do env -i "$work/gadeblik" completion "$shell" >"$work/completion/$shell"; done
	)
}

compile() {
	CGO_ENABLED=1 GOOS=linux GOARCH=$1 CC=$(compiler "$1") CGO_CFLAGS="-O2 -g0" \
		"$GO" build -trimpath -buildvcs=false -buildmode=pie \
		-ldflags "-s -w -buildid= -X main.version=$version -extldflags '-Wl,-z,relro,-z,now,--build-id=none'" \
		-o "$2" ./cmd/gadeblik
}

put() { install -D -m "$1" "$2" "$3"; } # put MODE FILE PLACE

# squeeze FILE PLACE.gz
squeeze() {
	mkdir -p "$(dirname "$2")"
	gzip -9nc "$1" >"$2"
	chmod 644 "$2"
}

lay_out() {
	local root=$1 arch=$2 doc=$1/usr/share/doc/gadeblik
	compile "$arch" "$work/$arch.bin"
	inference/onnx/fetch.sh "$runtimes/$arch" "$arch"
	local lib=$runtimes/$arch/libonnxruntime.so.1
	put 755 "$work/$arch.bin" "$root/usr/bin/gadeblik"
	put 644 "$lib" "$root/usr/lib/gadeblik/libonnxruntime.so.1"

	put 644 systemd/gadeblik.service "$root/usr/lib/systemd/system/gadeblik.service"
	put 644 systemd/gadeblik-inbox.service "$root/usr/lib/systemd/system/gadeblik-inbox.service"
	put 644 systemd/gadeblik.sysusers.conf "$root/usr/lib/sysusers.d/gadeblik.conf"
	put 644 systemd/gadeblik.tmpfiles.conf "$root/usr/lib/tmpfiles.d/gadeblik.conf"
	put 644 systemd/gadeblik.modules-load.conf "$root/usr/lib/modules-load.d/gadeblik.conf"
	put 644 systemd/60-gadeblik.rules "$root/usr/lib/udev/rules.d/60-gadeblik.rules"

	# What postinst copies must be there where a system leaves documentation out.
	put 644 configs/gadeblik.yaml "$root/usr/share/gadeblik/gadeblik.yaml"
	mkdir -p "$doc/examples"
	ln -s ../../../gadeblik/gadeblik.yaml "$doc/examples/gadeblik.yaml"
	put 644 configs/orders.geojson "$doc/examples/orders.geojson"
	for example in systemd/examples/*; do put 644 "$example" "$doc/examples/$(basename "$example")"; done

	"$work/bill" -binary "$work/$arch.bin" -onnxruntime "$lib" -version "$debver" -arch "$arch" -out "$work/bill-$arch" \
		-onnxruntime-version "$(sed -n 's/^version=//p' inference/onnx/fetch.sh)"
	for f in copyright NOTICE licences.txt sbom.cdx.json; do put 644 "$work/bill-$arch/$f" "$doc/$f"; done
	printf 'gadeblik (%s) unstable; urgency=medium\n\n  * Built from %s; changelog.gz says what changed.\n\n -- %s  %s\n' \
		"$debver" "$version" "$maintainer" "$(date -u -R -d "@$epoch")" >"$work/changelog"
	squeeze "$work/changelog" "$doc/changelog.Debian.gz"
	squeeze CHANGELOG.md "$doc/changelog.gz"

	local page
	for page in "$work"/man/*.1; do squeeze "$page" "$root/usr/share/man/man1/$(basename "$page").gz"; done
	for page in "$work"/man/*.5; do squeeze "$page" "$root/usr/share/man/man5/$(basename "$page").gz"; done
	put 644 "$work/completion/bash" "$root/usr/share/bash-completion/completions/gadeblik"
	put 644 "$work/completion/zsh" "$root/usr/share/zsh/vendor-completions/_gadeblik"
	put 644 "$work/completion/fish" "$root/usr/share/fish/vendor_completions.d/gadeblik.fish"
	put 644 packaging/debian/lintian-overrides "$root/usr/share/lintian/overrides/gadeblik"
}

control() {
	local root=$1 arch=$2 lib=$1/usr/lib/gadeblik/libonnxruntime.so.1
	mkdir -p "$root/DEBIAN"
	for script in postinst prerm postrm; do put 755 "packaging/debian/$script" "$root/DEBIAN/$script"; done
	(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
	cat >"$root/DEBIAN/control" <<-END
		Package: gadeblik
		Version: $debver
		Architecture: $arch
		Maintainer: $maintainer
		Installed-Size: $(du -k --apparent-size -s "$root/usr" | cut -f1)
		Depends: libc6 (>= $(newest GLIBC "$lib" "$root/usr/bin/gadeblik")), libgcc-s1, libstdc++6 (>= $(stdcxx "$(newest GLIBCXX "$lib")")), systemd, ca-certificates
		Recommends: udev
		Section: misc
		Priority: optional
		Description: looks at the street where signed orders and the driver allow it
		 Gadeblik is the agent of a vehicle with a camera, such as a street
		 sweeper. It looks only inside the zones, times and purposes of signed
		 orders, only while the driver allows it, and lets nothing leave the
		 vehicle but evidence from which every person, face and number plate
		 that its models find is removed.
		 .
		 The same program is the inbox of the case office, and signs orders for
		 a fleet. Two small models and ONNX Runtime come with it.
	END
	chmod 644 "$root/DEBIAN/control" "$root/DEBIAN/md5sums"
}

build() {
	local arch=$1 root=$work/root-$1 deb=$out/gadeblik_${debver}_$1.deb
	echo "gadeblik $debver: $arch"
	mkdir -p "$root" "$out"
	lay_out "$root" "$arch"
	control "$root" "$arch"
	find "$root" -type d -exec chmod 755 {} +
	find "$root" -exec touch --no-dereference --date="@$epoch" {} +
	# One thread: the way xz cuts its blocks otherwise depends on the machine.
	dpkg-deb --root-owner-group --uniform-compression --threads-max=1 -Zxz -z6 --build "$root" "$work/$arch.deb" >/dev/null
	mv "$work/$arch.deb" "$deb"
	echo "  $deb ($(stat -c %s "$deb") bytes, sha256 $(sha256sum "$deb" | cut -c1-64))"
}

for tool in dpkg-deb readelf xz "$GO"; do
	command -v "$tool" >/dev/null || fail "$tool is missing (apt-get install dpkg-dev binutils xz-utils, and Go)"
done
archs=("$@")
if [ ${#archs[@]} -eq 0 ]; then
	archs=("$(dpkg --print-architecture)")
	for other in amd64 arm64; do
		[ "$other" != "${archs[0]}" ] || continue
		if command -v "$(compiler "$other")" >/dev/null; then
			archs+=("$other")
		else
			echo "gadeblik $debver: no package for $other: $(compiler "$other") is missing (apt-get install gcc-$([ "$other" = arm64 ] && echo aarch64 || echo x86-64)-linux-gnu libc6-dev-$other-cross)"
		fi
	done
fi
for arch in "${archs[@]}"; do
	case $arch in amd64 | arm64) ;; *) fail "no package for $arch: amd64 and arm64 are known" ;; esac
	command -v "$(compiler "$arch")" >/dev/null || fail "no package for $arch: $(compiler "$arch") is missing"
done
cd "$here"
prepare
for arch in "${archs[@]}"; do build "$arch"; done
