# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# TAP for test scripts that run in dom0.
#
# A script sources this file, names its cases in order with tap_case and ends
# with tap_run. A case is a function. It runs in a subshell and process group
# of its own, so it can neither change the next case's variables nor leave a
# hanging program behind; what it changed elsewhere it undoes with "defer".
#
#   tap_case FUNCTION 'what must hold' [SECONDS]
#   tap_setup FUNCTION      before the cases; if it fails, none of them runs
#   tap_run                 runs everything, prints TAP, ends the script
#
# Inside of a case:
#
#   check 'what' COMMAND... go on, but the case has failed if COMMAND fails
#   must 'what' COMMAND...  the same, and the case ends there
#   same 'what' GOT WANT    compares two texts
#   fail 'why'              the case has failed
#   diag 'text'             a remark, printed at once
#   skip 'why'              the case cannot run here
#   defer COMMAND...        when the case ends, however it ends; last in, first
#                           out
#
# A process costs an emulated machine more than all else that is done here: what bash
# can do itself it does.
#
# The environment: TAP_CASES, globs separated by "|"; a case whose function or
# title matches none of them is left out of the plan; with "!" in front, those that match
# one are. TAP_VERBOSE=1 prints what commands said even
# if nothing failed.

TAP_DIR=$(mktemp -d /tmp/tap.XXXXXX)
TAP_TIMEOUT=${TAP_TIMEOUT:-240}
# Seconds from which on a command is remarked upon.
TAP_SLOW=${TAP_SLOW:-10}
# What no test may bring about in dom0's log.
TAP_SPLAT='WARNING: |BUG: |Oops|general protection|Call Trace|INFO: task .* blocked|rcu.*stall|lockdep|UBSAN: |_(add|del) corruption|unregister_netdevice: waiting'
# shellcheck disable=SC2034 # read by scripts
TAP_ME=$(basename "${RIG_SCRIPT_NAME:-$0}" .sh)
tap_functions=()
tap_titles=()
tap_seconds=()
tap_setup_function=
tap_marks=0

tap_wanted() {
	local globs glob all=${TAP_CASES:-*}
	IFS='|' read -ra globs <<<"${all#!}"
	for glob in "${globs[@]}"; do
		# shellcheck disable=SC2053 # it is a glob
		if [[ $1 == $glob || $2 == $glob ]]; then
			[[ $all != !* ]]
			return
		fi
	done
	[[ $all == !* ]]
}

tap_case() {
	tap_wanted "$1" "$2" || return 0
	tap_functions+=("$1")
	tap_titles+=("$2")
	tap_seconds+=($((${3:-$TAP_TIMEOUT} * ${RIG_SLOW:-1})))
}

tap_setup() {
	tap_setup_function=$1
}

diag() {
	local text=$*
	printf '# %s\n' "${text//$'\n'/$'\n# '}" >&3
}

# nap SECONDS: sleep, without a process.
nap() {
	read -rt "$1" <&5
	true
}

fail() {
	tap_failed=1
	diag "FAIL: $*"
}

# Says what a command printed, shortened.
tap_quote() {
	tail -n 25 "$1" | cut -c1-300 | sed 's/^/#    | /' >&3
}

check() {
	local what=$1 out rc start=$SECONDS
	shift
	out=$TAP_DIR/check.$BASHPID
	"$@" >"$out" 2>&1
	rc=$?
	[[ ! -s $out ]] || cat "$out"
	((SECONDS - start < TAP_SLOW)) || diag "$what took $((SECONDS - start)) s"
	if ((rc)); then
		fail "$what: '$*' ended with status $rc"
		tap_quote "$out"
	elif [[ -n ${TAP_VERBOSE:-} ]]; then
		tap_quote "$out"
	fi
	return $rc
}

must() {
	check "$@" || exit 1
}

same() {
	[[ $2 == "$3" ]] && return 0
	fail "$1: is '$2', should be '$3'"
	return 1
}

skip() {
	printf '%s' "$*" >"$TAP_DIR/skip"
	exit 77
}

defer() {
	tap_deferred+=("$(printf '%q ' "$@")")
}

tap_undo() {
	local i
	for ((i = ${#tap_deferred[@]} - 1; i >= 0; i--)); do
		eval "${tap_deferred[i]}"
	done
	tap_deferred=()
}

# The body of a case's subshell.
tap_body() {
	local rc
	tap_failed=0
	tap_deferred=()
	trap 'rc=$?; trap - TERM; tap_undo; tap_report $rc' EXIT
	trap 'exit 124' TERM
	"$1"
	rc=$?
	if ((rc)); then
		fail "$1 returned $rc"
	fi
	exit $rc
}

# Tells the parent the outcome: the last thing a case does.
tap_report() {
	if (($1 == 77)); then
		echo 77 >&4
	elif (($1 || tap_failed)); then
		echo 1 >&4
	else
		echo 0 >&4
	fi
}

# log_mark NAME: from here on log_since looks. $mark is no beginning of another's.
log_mark() {
	mark="$1-$BASHPID-$((++tap_marks)):"
	echo "$mark" >/dev/kmsg
}

# log_since MARK: dom0's log after it, without what the driver says of its objects'
# lives where that is switched on (dom0/detectors of the rig).
log_since() {
	dmesg | awk -v mark="$1" '
		seen && !/xen_netback: .* (created|destroyed)$/
		index($0, mark) { seen = 1 }'
}

tap_one() {
	local n=$1 fn=$2 title=$3 seconds=$4 pid rc start log mark line splat
	log=$TAP_DIR/log
	log_mark "tap-$n-$fn"
	start=$SECONDS
	set -m
	(tap_body "$fn") </dev/null >"$log" 2>&1 &
	pid=$!
	set +m
	if ! read -r -t "$seconds" rc <&4; then
		diag "FAIL: not finished after $seconds s; what was running:"
		ps -o pid,pgid,stat,args 2>/dev/null | grep " $pid " |
			head -n 20 | sed 's/^/#    | /' >&3
		kill -TERM -- "-$pid"
		read -r -t 30 rc <&4
		kill -KILL -- "-$pid" 2>/dev/null
		rc=1
	fi
	wait "$pid" 2>/dev/null
	log_since "$mark" >"$TAP_DIR/dmesg"
	splat=
	[[ ! -s $TAP_DIR/dmesg ]] || splat=$(grep -Em 5 "$TAP_SPLAT" "$TAP_DIR/dmesg")
	if [[ -n $splat ]]; then
		diag "FAIL: dom0's kernel complained:"
		diag "$splat"
		rc=1
	fi
	if ((rc != 0 && rc != 77)); then
		diag "last words of the case:"
		tap_quote "$log"
		diag "dom0's log during the case:"
		tap_quote "$TAP_DIR/dmesg"
		# What else a library knows to say about a failure.
		if declare -F tap_on_fail >/dev/null; then
			tap_on_fail >"$TAP_DIR/more" 2>&1
			tap_quote "$TAP_DIR/more"
		fi
	fi
	line="$n $TAP_ME: $title"
	case $rc in
	0) echo "ok $line" >&3 ;;
	77) echo "ok $line # SKIP $(cat "$TAP_DIR/skip" 2>/dev/null)" >&3 ;;
	*) echo "not ok $line" >&3 ;;
	esac
	diag "$fn took $((SECONDS - start)) s"
	((rc == 0 || rc == 77))
}

tap_run() {
	local i bad=0
	exec 3>&1
	mkfifo "$TAP_DIR/outcome"
	mkfifo "$TAP_DIR/never"
	exec 4<>"$TAP_DIR/outcome" 5<>"$TAP_DIR/never"
	echo "TAP version 13" >&3
	echo "1..${#tap_functions[@]}" >&3
	if [[ -n $tap_setup_function && ${#tap_functions[@]} -gt 0 ]]; then
		tap_failed=0
		if ! "$tap_setup_function" >"$TAP_DIR/log" 2>&1 || ((tap_failed)); then
			tap_quote "$TAP_DIR/log"
			dmesg | tail -n 15 | sed 's/^/#    | /' >&3
			echo "Bail out! $tap_setup_function failed" >&3
			exit 1
		fi
		diag "$tap_setup_function took $SECONDS s"
		# To see a case fail: any command, run when all is set up.
		eval "${TEST_SABOTAGE:-}"
	fi
	for ((i = 0; i < ${#tap_functions[@]}; i++)); do
		tap_one $((i + 1)) "${tap_functions[i]}" "${tap_titles[i]}" \
			"${tap_seconds[i]}" || bad=1
	done
	rm -rf "$TAP_DIR"
	exit $bad
}
