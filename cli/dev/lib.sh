# shellcheck shell=bash disable=SC2034
# What every ./dev verb shares: where the tree is, how to speak, how to become root.
# Sourced, never run.
# SPDX-License-Identifier: Apache-2.0

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$ROOT/build

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
	BOLD=$'\e[1m' RED=$'\e[31m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
	BOLD='' RED='' YELLOW='' PLAIN=''
fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*" >&2; }

warn() { printf '%swarning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

die() {
	printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
	exit 1
}

# A mistake on the command line: exit 2, as getopt programs do.
misuse() {
	printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
	exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

# The help of a verb is the comment at the top of its file.
show_help() {
	sed -n '2,/^$/{/SPDX/d;/^#/!d;s/^# \{0,1\}//;p}' "$1"
}

# Prints help and leaves when --help is among the arguments.
help_if_asked() {
	local file=$1 word
	shift
	for word in "$@"; do
		[[ $word == -- ]] && return
		if [[ $word == --help || $word == -h ]]; then
			show_help "$file"
			exit 0
		fi
	done
}

# Runs a command, hides what it says, and shows the end of it when it fails.
quietly() {
	local log status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if ((status != 0)); then
		tail -n 40 "$log" >&2
	fi
	rm -f "$log"
	return "$status"
}

is_root() { [[ $(id -u) -eq 0 ]]; }

can_be_root() { is_root || { have sudo && sudo -n true 2>/dev/null; } || { have sudo && [[ -t 0 ]]; }; }

as_root() {
	if is_root; then
		"$@"
	else
		sudo -E "$@"
	fi
}
