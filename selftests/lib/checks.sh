# SPDX-License-Identifier: GPL-2.0
#
# What tests that are shell scripts share: TAP, calls of the controller and waiting.
# Sourced, with $out set: the file that has what the last command has said.
number=0
# Seconds that end what hangs.
PATIENCE=600

# A host that has just been made knows no user at all.
grep -qs '^root:' /etc/passwd || echo 'root:x:0:0::/:/bin/sh' >>/etc/passwd
grep -qs '^nobody:' /etc/passwd ||
	echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd

# explain: what is shown of a failure; a test may have a better one
explain() { cat "$out"; }

# check TEXT COMMAND...: a command's success as a test
check() {
	text=$1
	number=$((number + 1))
	shift
	if "$@" >/dev/null 2>&1; then
		echo "ok $number - $text"
	else
		echo "not ok $number - $text"
		explain | sed 's/^/# /'
	fi
}

# lodge STATUS ARGUMENT...: it ends with STATUS
lodge() {
	wanted=$1
	shift
	timeout "$PATIENCE" "$LODGE" "$@" >"$out" 2>&1 </dev/null
	[ $? -eq "$wanted" ]
}

says() { grep -q -e "$1" "$out"; }
says_not() { ! says "$1"; }

# soon COMMAND...: until it succeeds; an emulated host may be slow
soon() {
	for _ in $(seq "$PATIENCE"); do
		"$@" && return
		sleep 1
	done
	return 1
}
