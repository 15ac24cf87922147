#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The example of liblodge (examples/flat.c), which lies beside the controller, runs
# images of a few instructions.
flat=${LODGE%/*}/examples/flat
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0
# Seconds that end what hangs.
PATIENCE=600

# check TEXT STATUS OUTPUT IMAGE: how it ends, and what it has written
check() {
	number=$((number + 1))
	printf "$4" >"$dir/image"
	timeout "$PATIENCE" "$flat" "$dir/image" >"$dir/out" 2>&1 </dev/null
	status=$?
	if [ $status -eq "$2" ] && [ "$(cat "$dir/out")" = "$3" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "# $status: $(cat "$dir/out")"
	fi
}

echo 1..5
# mov si, 0x7c0d; mov cx, 5; mov dx, 0xe9; rep outsb; cli; hlt
check "what the guest writes to the port is shown, until it halts" 0 here \
	'\276\015\174\271\005\000\272\351\000\363\156\372\364here\n'
# in al, 0xe9; add al, 66; out 0xe9, al; cli; hlt
check "a port without a device reads as ones" 0 A '\344\351\004\102\346\351\372\364'
# mov ax, 0xffff; mov ds, ax; mov al, [0x10]; add al, 66; out 0xe9, al; cli; hlt
check "an address without memory reads as ones" 0 A \
	'\270\377\377\216\330\240\020\000\004\102\346\351\372\364'
# lidt [0x7c06], whose limit is 0; int3
check "a guest that ends in a triple fault is told of" 1 \
	'flat: exit 5 (enum lodge_exit_reason)' \
	'\017\001\036\006\174\314\000\000\000\000\000\000'
check "an empty image is refused" 1 \
	"flat: $dir/image: empty, too large, or not readable" ''
