#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# `lodge fuzz`: a guest is run on inputs and put back after each, by hand and by AFL++,
# which finds the fault of examples/fuzz/parse.c.
dir=$(mktemp -d)
out=$dir/out
. "${0%/*}/../lib/checks.sh"
trap 'rm -rf "$dir"' EXIT
explain() { tail -n 40 "$out"; }
mkdir "$dir/in"
cp "$LODGE_PAYLOAD/vmlinuz-6.1" "$dir/kernel"
cp "$LODGE_PAYLOAD/guest.cpio" "$dir/initrd"
printf 'bug' >"$dir/in/seed"
printf '..b' >"$dir/in/other"
printf '"%s"\n' b u g . >"$dir/words"
printf 'bug.' >"$dir/crash"
printf 'bgu.' >"$dir/good"
printf '' >"$dir/empty"
head -c 1100000 /dev/zero >"$dir/long"

# fuzz STATUS OPTION...: with the guest that has the fault
fuzz() {
	wanted=$1
	shift
	lodge "$wanted" fuzz "$@" --kernel "$dir/kernel" --initrd "$dir/initrd" \
		--memory 128M --append "console=ttyS0 quiet run=fuzz"
}
tells() {
	[ "$(cat "$out")" = "$dir/good: ok
$dir/crash: crash
$dir/empty: ok
$dir/good: ok
$dir/crash: crash" ]
}
# found: the fuzzer has an input that ends in a crash
found() { grep -qs "bug.*\." "$dir"/found/default/crashes/id*; }
fuzzes() {
	AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
		AFL_NO_UI=1 AFL_FORKSRV_INIT_TMOUT=600000 AFL_BENCH_UNTIL_CRASH=1 \
		timeout 900 afl-fuzz -s 1 -V 800 -t 60000 -x "$dir/words" -i "$dir/in" \
		-o "$dir/found" -- \
		"$LODGE" fuzz --kernel "$dir/kernel" --initrd "$dir/initrd" \
		--memory 128M --append "console=ttyS0 quiet run=fuzz" \
		>"$out" 2>&1 </dev/null
	found
}

echo 1..9
check "without a fuzzer and an input it says what to do" eval 'fuzz 64 &&
	says "afl-fuzz"'
check "a guest is run on inputs" fuzz 1 --input "$dir/good" --input "$dir/crash" \
	--input "$dir/empty" --input "$dir/good" --input="$dir/crash"
check "a crash is told, and undone for the next input" tells
check "an input that is too long is refused" eval 'fuzz 66 --input "$dir/long" &&
	says "too large"'
check "an input that is not there is refused" fuzz 66 --input "$dir/none"
check "a machine in the background is refused" fuzz 64 --detach --input "$dir/good"
check "a report in JSON is refused" fuzz 64 --json --input "$dir/good"
check "a guest without a harness is told" eval '
	lodge 66 fuzz --input "$dir/good" --kernel "$dir/kernel" \
		--initrd "$dir/initrd" --append "run=report panic=-1" &&
		says "before its harness"'
check "AFL++ finds the fault" fuzzes
