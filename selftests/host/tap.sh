# SPDX-License-Identifier: GPL-2.0
#
# Shell functions for files of TAP.  A program that dies, hangs or says nothing
# must show in the sum: its file gets a failed test that says so.  Sourced.

# tap_finish FILE NAME STATUS SECONDS LIMIT: closes the file of a program that
# has ended with STATUS; SECONDS at or above LIMIT mean that it was stopped.
tap_finish() {
	local file=$1 name=$2 status=$3 seconds=$4 limit=$5 tests failed
	tests=$(grep -cE '^(not )?ok\b' "$file")
	failed=$(grep -cE '^not ok\b' "$file")
	if [ "$status" -ne 0 ] && [ "$seconds" -ge "$limit" ]; then
		tap_add "$file" "$tests" "$name: stopped after $limit s"
	elif [ "$status" -ge 128 ]; then
		tap_add "$file" "$tests" \
			"$name: killed by signal $((status - 128))"
	elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ] &&
	     ! tap_excuses "$file" "$status"; then
		tap_add "$file" "$tests" "$name: exit status $status"
	elif ! grep -qE '^1\.\.[0-9]' "$file"; then
		tap_add "$file" "$tests" "$name: printed no plan"
	fi
}

# tap_excuses FILE STATUS: true if skipped tests explain the status: 4 says so itself,
# 1 is that of a failure which the host has excused
tap_excuses() {
	case $2 in
	1 | 4) grep -qE '^(ok|1\.\.0)\b.*# *SKIP' "$1" ;;
	*) return 1 ;;
	esac
}

# tap_add FILE TESTS TEXT: adds a failed test, and a plan when there is none
tap_add() {
	local file=$1 tests=$2 text=$3
	printf '\nnot ok %d - %s\n' $((tests + 1)) "$text" >>"$file"
	grep -qE '^1\.\.[0-9]' "$file" ||
		printf '1..%d\n' $((tests + 1)) >>"$file"
}

# tap_word FILE: how its tests went, in a word for a person
tap_word() {
	local file=$1 passed failed
	passed=$(grep -cE '^ok\b' "$file")
	failed=$(grep -cE '^not ok\b' "$file")
	if [ "$failed" -gt 0 ]; then
		echo "FAILED $failed of $((passed + failed))"
	else
		echo "ok $passed"
	fi
}
