#!/usr/bin/env bash
# Builds the packages once more, in another folder, with empty caches, another time
# zone, umask and language, and compares them byte by byte with those of `make deb`.
#
#     packaging/reproducible.sh FILE.deb...
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || { echo "usage: reproducible.sh FILE.deb..." >&2 && exit 2; }
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# What is built is what this says, and not what git says of another folder.
first=$1
version=$(dpkg-deb --fsys-tarfile "$first" | tar -xO ./usr/share/doc/gadeblik/changelog.Debian.gz | zcat | sed -n 's/.*Built from \(.*\); changelog.*/\1/p')
epoch=$(date -d "$(dpkg-deb --fsys-tarfile "$first" | tar --full-time -tv --utc ./usr/bin/gadeblik | awk '{print $4 " " $5 "Z"}')" +%s)

elsewhere=$work/a/place/with/another/length
mkdir -p "$elsewhere" "$work/home" "$work/out"
tar -c --exclude=./build --exclude=./bin --exclude=./.git --exclude=./demo-out . | tar -x -C "$elsewhere"
modules=$(go env GOMODCACHE)
runtimes=$PWD/build/deb/onnxruntime
for deb in "$@"; do
	arch=$(dpkg-deb --field "$deb" Architecture)
	(
		umask 077
		cd "$elsewhere"
		GOMODCACHE=$modules GOCACHE=$work/cache HOME=$work/home TZ=Asia/Tokyo LANG=C.UTF-8 DEB_OUT=$work/out DEB_RUNTIMES=$runtimes \
			VERSION=$version SOURCE_DATE_EPOCH=$epoch packaging/build.sh "$arch"
	)
	again=$work/out/$(basename "$deb")
	if ! cmp "$deb" "$again"; then
		mkdir "$work/1" "$work/2"
		dpkg-deb -R "$deb" "$work/1" && dpkg-deb -R "$again" "$work/2"
		diff -rq "$work/1" "$work/2" || true
		echo "not reproducible: $deb" >&2
		exit 1
	fi
	echo "reproducible: $(basename "$deb"), twice the same $(stat -c %s "$deb") bytes"
done
