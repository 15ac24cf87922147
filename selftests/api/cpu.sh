#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# `lodge run --cpu`: a guest's processor has the features that were asked for, and no
# others; a host that lacks one refuses the machine.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
trap 'rm -rf "$dir"' EXIT

# write_guest LEAF REGISTER: code of 16 bits that sends a register of CPUID's answer to COM1
# (mov eax, LEAF; xor ecx, ecx; cpuid; mov eax, REGISTER; mov dx, 0x3f8; four times: out
# dx, al; shr eax, 8), and ends the machine (mov al, 0; out 0xf4, al)
write_guest() {
	case $2 in
	eax) move='' ;;
	ebx) move='\146\211\330' ;;
	ecx) move='\146\211\310' ;;
	edx) move='\146\211\320' ;;
	esac
	send='\356\146\301\350\010'
	printf "\146\270\\$(printf %03o "$1")\000\000\000\146\061\311\017\242$move" >"$dir/guest"
	printf "\272\370\003$send$send$send$send\260\000\346\364" >>"$dir/guest"
}
# register LEAF REGISTER [OPTION...]: what the guest has sent, in $found
register() {
	write_guest "$1" "$2"
	shift 2
	timeout "$PATIENCE" "$LODGE" run --kernel "$dir/guest" --flat 0x7c00 \
		--memory 1M "$@" >"$dir/sent" 2>"$out" </dev/null
	[ $? -eq 1 ] || return 1
	found=$(od -An -t x4 -N 4 "$dir/sent" | tr -d ' ')
}
# shows VALUE LEAF REGISTER [OPTION...]
shows() {
	value=$1
	shift
	register "$@" && [ "$found" = "$value" ]
}
lists() { grep -qx "$1" "$dir/host.cpu"; }
same() {
	register "$1" "$2" && all=$found &&
		shows "$all" "$1" "$2" --cpu "$dir/host.cpu"
}
# with BITS LEAF REGISTER OPTION...: the register has all of these
with() {
	bits=$1
	shift
	register "$@" && [ $((0x$found & bits)) -eq $((bits)) ]
}
# level3: as asked for, where the host has it; otherwise it says what is lacking
level3() {
	for feature in avx2 bmi2 fma movbe; do
		lists $feature && continue
		lodge 69 run --kernel "$dir/guest" --flat 0x7c00 --cpu v3
		says "lacks "
		return
	done
	with 0x10401000 1 ecx --cpu v3 && with 0x128 7 ebx --cpu v3 &&
		shows 00000007 13 eax --cpu v3
}

echo 1..9
check "doctor lists the features of this host" lodge 0 doctor --cpu
cp "$out" "$dir/host.cpu"
check "they are such that a guest cannot do without" eval 'lists lm && lists sse2'
# hypervisor, tsc_deadline_timer, popcnt, x2apic, cx16, sse3
check "the baseline has what each host has, and no more" shows 81a02001 1 ecx --cpu baseline
check "the baseline has none of leaf 7 but the time stamp counter's adjustment" \
	shows 00000002 7 ebx --cpu baseline
check "the baseline has no components of XSAVE" shows 00000000 13 eax --cpu baseline
check "names are added to a level" shows 81a02001 1 ecx --cpu baseline,sse2
check "v3 has AVX and AVX2, or is refused" level3
check "all that this host has makes the same guest as without a choice" same 1 ecx
check "a feature that this host lacks is named" eval '
	lodge 69 run --kernel "$dir/guest" --flat 0x7c00 --cpu baseline,tbm &&
		says "lacks tbm"'
