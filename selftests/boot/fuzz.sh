#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# `lodge fuzz`: a guest is run on inputs and put back after each, by hand and by AFL++,
# which finds the fault of examples/fuzz/parse.c, and that of a driver of the guest's kernel,
# examples/fuzz/driver/.
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
mkdir "$dir/commands"
printf 'odkc' >"$dir/commands/seed"
printf 'ocdk' >"$dir/commands/other"
printf '"%s"\n' o k c d >"$dir/letters"
printf 'okcd' >"$dir/astray"

# fuzz STATUS OPTION...: with the guest that has the fault
fuzz() { fuzz_in fuzz "$@"; }
# fuzz_in SCRIPT STATUS OPTION...: with the guest that runs the script
fuzz_in() {
	script=$1
	wanted=$2
	shift 2
	lodge "$wanted" fuzz "$@" --kernel "$dir/kernel" --initrd "$dir/initrd" \
		--memory 128M --append "console=ttyS0 quiet run=$script"
}
tells() {
	[ "$(cat "$out")" = "$dir/good: ok
$dir/crash: crash
$dir/empty: ok
$dir/good: ok
$dir/crash: crash" ]
}
# What the kernel says as it dies is there, too.
tells_of_driver() {
	[ "$(grep "^$dir" "$out")" = "$dir/commands/seed: ok
$dir/astray: crash
$dir/commands/other: ok
$dir/astray: crash" ]
}
# afl SCRIPT WORDS SEEDS PLACE PATTERN: the fuzzer finds an input that ends in a crash
afl() {
	AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
		AFL_NO_UI=1 AFL_FORKSRV_INIT_TMOUT=600000 AFL_BENCH_UNTIL_CRASH=1 \
		timeout 900 afl-fuzz -s 1 -V 800 -t 60000 -x "$2" -i "$3" -o "$4" -- \
		"$LODGE" fuzz --kernel "$dir/kernel" --initrd "$dir/initrd" \
		--memory 128M --append "console=ttyS0 quiet run=$1" \
		>"$out" 2>&1 </dev/null
	grep -qs "$5" "$4"/default/crashes/id*
}

echo 1..12
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
check "AFL++ finds the fault" afl fuzz "$dir/words" "$dir/in" "$dir/found" "bug.*\."
check "a driver is run on inputs" fuzz_in driver 1 --input "$dir/commands/seed" \
	--input "$dir/astray" --input "$dir/commands/other" --input "$dir/astray"
check "its kernel's death is a crash, and undone" tells_of_driver
check "AFL++ finds the driver's fault" afl driver "$dir/letters" "$dir/commands" \
	"$dir/led" "o.*k.*c.*d"
