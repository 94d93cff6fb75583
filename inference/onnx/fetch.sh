#!/usr/bin/env bash
# Puts ONNX Runtime 1.24.1 into the folder given: libonnxruntime.so.1 for this
# machine, its sha256 checked. Does nothing where a runtime is there already, or
# where GADEBLIK_ONNXRUNTIME names one.
#
# With an architecture, amd64 or arm64, it is for a package: then this very file is
# put there, whatever this machine is and has.
set -euo pipefail

version=1.24.1
out=${1:?usage: fetch.sh FOLDER [amd64|arm64]}
wanted=${2:-}

case ${wanted:-$(uname -m)} in
x86_64 | amd64) arch=x64 sum=53ef1ac028dd1b05554b8da28d9159eb3876f99868193d2aaa6e67f0243c23d4 ;;
aarch64 | arm64) arch=arm64 sum=7954e8bdedb497f830c6a679e818d98399b7f4d81ade1126c3e0be74d28111ab ;;
*)
	echo "fetch ONNX Runtime: no build for ${wanted:-$(uname -m)}; build it yourself and set GADEBLIK_ONNXRUNTIME to the library" >&2
	exit 1
	;;
esac

lib=$out/libonnxruntime.so.1
good() { [ -f "$1" ] && echo "$sum  $1" | sha256sum --check --status; }

# A system copy will do: the one that an installed agent uses, or one of the
# version that the program's headers want.
on_system() {
	[ -n "${GADEBLIK_ONNXRUNTIME:-}" ] || good /usr/lib/gadeblik/libonnxruntime.so.1 && return
	for found in /usr/local/lib /usr/lib/"$(uname -m)"-linux-gnu /usr/lib64; do
		compgen -G "$found/libonnxruntime.so.1.24.*" >/dev/null && return
	done
	return 1
}

if good "$lib" || { [ -z "$wanted" ] && on_system; }; then
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# The npm package holds the libraries of both architectures (MIT licence).
from_npm() {
	command -v npm >/dev/null || return 1
	(cd "$work" && npm pack --silent "onnxruntime-node@$version" >/dev/null) || return 1
	tar -xzf "$work/onnxruntime-node-$version.tgz" -C "$work" "package/bin/napi-v6/linux/$arch/libonnxruntime.so.1" || return 1
	mv "$work/package/bin/napi-v6/linux/$arch/libonnxruntime.so.1" "$work/lib"
}

echo "fetching ONNX Runtime $version into $out"
from_npm || {
	echo "fetch ONNX Runtime: npm did not give onnxruntime-node@$version; install npm, or put the library at $lib, or set GADEBLIK_ONNXRUNTIME" >&2
	exit 1
}
if ! good "$work/lib"; then
	echo "fetch ONNX Runtime: sha256 $(sha256sum "$work/lib" | cut -d' ' -f1), want $sum: not installed" >&2
	exit 1
fi
chmod 0755 "$work/lib"
mv "$work/lib" "$lib"
