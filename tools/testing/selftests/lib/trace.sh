# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Tracepoints in dom0. Used together with tap.sh and net.sh, in dom0 of the rig; trace_*
# need perf there ("--program perf"), tracefs_* nothing.

# trace_start EVENT...: from when it returns on.
trace_start() {
	local event words=()
	for event in "$@"; do words+=(-e "$event"); done
	rm -f "$TAP_DIR/tracing" "$TAP_DIR/trace.end"
	mkfifo "$TAP_DIR/trace.end"
	# Open for reading, too, so that nobody has to wait for the other.
	exec 6<>"$TAP_DIR/trace.end"
	# perf starts its command when all is set up, and ends with it.
	perf record -q -a -B -N -o "$TAP_DIR/perf.data" "${words[@]}" -- \
		sh -c ": >$TAP_DIR/tracing; read -r _ <$TAP_DIR/trace.end" &
	trace_pid=$!
	defer eval "kill $trace_pid 2>/dev/null; true"
	until_true 90 test -e "$TAP_DIR/tracing"
}

# trace_stop: then $TAP_DIR/trace has a line for each event, as the kernel words it.
trace_stop() {
	echo >&6
	wait "$trace_pid" &&
		perf script -i "$TAP_DIR/perf.data" -F event,trace >"$TAP_DIR/trace"
}

# tracefs_start EVENT..., tracefs_stop: the same without perf.
tracefs_start() {
	local event
	tracefs=/sys/kernel/tracing/instances/tap
	mkdir $tracefs && defer rmdir $tracefs || return
	for event in "$@"; do
		echo "$event" >>$tracefs/set_event || return
	done
}
tracefs_stop() {
	echo 0 >$tracefs/tracing_on
	echo >$tracefs/set_event
	grep -v '^#' $tracefs/trace >"$TAP_DIR/trace"
}

# traced REGEX: how many of the lines match.
traced() { grep -cE "$1" "$TAP_DIR/trace"; }

# traced_sum REGEX FIELD: of "FIELD=NUMBER" in the lines that match.
traced_sum() {
	awk -v re="$1" -v f="$2=" '$0 ~ re {
		for (i = 1; i <= NF; i++)
			if (index($i, f) == 1)
				n += substr($i, length(f) + 1)
	} END { printf "%d", n }' "$TAP_DIR/trace"
}
