#!/usr/bin/env bash
# ./dev test [--list] [--keep] [SUITE or TEST...]
# Runs the tests: all, or the suites and tests that are named.
#
#   --list   prints suite and name of each test
#   --keep   keeps the temporary folder (logs of PostgreSQL and Redis) and prints where it is
#
# Suites: style unit journey threads fuzz. style, unit and journey run under ASan and UBSan, threads
# under TSan, fuzz under libFuzzer for MILLRACE_FUZZ_SECONDS each (10). The servers they need are
# started for this run, in a temporary folder, and stopped. As root, tests run as another user.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"
# shellcheck source=cli/dev/tree.sh
source "$here/tree.sh"
# shellcheck source=cli/dev/sandbox.sh
source "$here/sandbox.sh"
# shellcheck source=cli/dev/servers.sh
source "$here/servers.sh"

SUITES=(style unit journey threads fuzz)
ALL_TREES=(sanitize threads fuzz coverage)
FUZZ_SECONDS=${MILLRACE_FUZZ_SECONDS:-10}
KEEP='' LIST='' COVERAGE='' WISHES=()
MESON_PID='' LOGS=() WRAPPER=()

# ---- what to run: lines of "tree<TAB>suite<TAB>name" -----------------------------------------

tree_of_suite() {
	[[ -z $COVERAGE ]] || { echo coverage; return; }
	case $1 in
	threads | fuzz) echo "$1" ;;
	*) echo sanitize ;;
	esac
}

tree_is_possible() { [[ $1 != fuzz || -f $SOURCE/test/fuzz/meson.build ]]; }

configure_tree() {
	case $1 in
	coverage) tree_configure "$SOURCE" "$TREES/coverage" "${COVERAGE_OPTIONS[@]}" ;;
	sanitize) tree_configure "$SOURCE" "$TREES/sanitize" "${SANITIZE_OPTIONS[@]}" ;;
	threads) tree_configure "$SOURCE" "$TREES/threads" "${THREADS_OPTIONS[@]}" ;;
	fuzz) CC=clang tree_configure "$SOURCE" "$TREES/fuzz" "${FUZZ_OPTIONS[@]}" -Dfuzz_seconds="$FUZZ_SECONDS" ;;
	esac
}

list_all() {
	local suite tree
	for suite in "${SUITES[@]}"; do
		tree=$(tree_of_suite "$suite")
		tree_is_possible "$tree" || continue
		# Which tests cross threads is known without the tree that runs them.
		[[ $tree != threads ]] || tree=sanitize
		configure_tree "$tree"
		python3 "$here/tests.py" list "$TREES/$tree" "$suite" | sed "s/^/$(tree_of_suite "$suite")\t/"
	done
}

# choose LISTING: the lines of the listing that were asked for.
choose() {
	local wish found
	if ((${#WISHES[@]} == 0)); then
		printf '%s\n' "$1"
		return
	fi
	for wish in "${WISHES[@]}"; do
		found=$(awk -F '\t' -v wish="$wish" '$2 == wish || $3 == wish' <<<"$1")
		[[ -n $found ]] || found=$(awk -F '\t' -v wish="$wish" 'index($3, wish)' <<<"$1")
		[[ -n $found ]] || misuse "no suite or test is called '$wish': ./dev test --list"
		printf '%s\n' "$found"
	done | sort -u
}

# ---- running -----------------------------------------------------------------------------------

sanitizer_options() {
	export ASAN_OPTIONS=abort_on_error=0:halt_on_error=1:detect_leaks=1:detect_stack_use_after_return=1
	export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
	export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
	# The sanitizers of older compilers cannot map their shadow where addresses are very random.
	if (($(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0) > 28)); then
		if "${AS_USER[@]}" setarch -R true 2>/dev/null; then
			WRAPPER=(setarch -R)
		else
			warn "sanitizers may not start here; if they do not: sysctl vm.mmap_rnd_bits=28"
		fi
	fi
	leaks_can_be_found || {
		warn "LEAKS ARE NOT CHECKED: LeakSanitizer cannot trace processes here (is ptrace forbidden, or a debugger attached?)"
		ASAN_OPTIONS+=:detect_leaks=0
	}
}

# A program that leaks must be told so.
leaks_can_be_found() {
	local probe=$WORK/tmp/leak status=0
	printf '#include <stdlib.h>\nint main(void) { return malloc(7) == NULL; }\n' |
		gcc -xc -O0 -fsanitize=address -o "$probe" - || die "gcc cannot link with AddressSanitizer: ./dev setup"
	"${AS_USER[@]}" env ASAN_OPTIONS=detect_leaks=1:exitcode=23 "${WRAPPER[@]}" "$probe" >"$probe.log" 2>&1 || status=$?
	((status == 23)) && grep -q 'detected memory leaks' "$probe.log"
}

build_tree() {
	say "building: $1"
	configure_tree "$1"
	ninja -C "$TREES/$1" --quiet >&2 || die "the $1 tree does not build (see above)"
	open_tree "$TREES/$1"
	[[ -z $COVERAGE ]] || find "$TREES/coverage" -name '*.gcda' -delete
}

# Built by us also when the tests run as somebody else: it only has to be readable.
build_release() {
	say "building: release"
	bash "$here/build.sh" || die "the release binary does not build (see above)"
	export MILLRACE_TEST_RELEASE_BINARY=$BUILD/millrace
	[[ $SOURCE == "$ROOT" ]] && return
	install -m 755 "$BUILD/millrace" "$WORK/millrace"
	MILLRACE_TEST_RELEASE_BINARY=$WORK/millrace
}

# run_tree TREE: the chosen tests of one tree. As a process group of its own, so that nothing survives it.
run_tree() {
	local tree=$TREES/$1 names=() log=dev-$$ status=0
	mapfile -t names < <(awk -F '\t' -v tree="$1" '$1 == tree { print $3 }' <<<"$CHOSEN" | sort -u)
	((${#names[@]})) || return 0
	say "running: $1"
	find "$tree/meson-logs" -name 'dev-*' -mtime +0 -delete
	LOGS+=("$tree/meson-logs/$log.json")
	MILLRACE_TEST_BINARY=$tree/millrace MILLRACE_TEST_ARTIFACTS=$tree/meson-logs \
		setsid "${AS_USER[@]}" setpriv --pdeathsig TERM "${WRAPPER[@]}" meson test -C "$tree" --no-rebuild --print-errorlogs \
		--timeout-multiplier 3 --logbase "$log" "${names[@]}" 9>&- </dev/null &
	MESON_PID=$!
	wait "$MESON_PID" || status=$?
	MESON_PID=''
	return "$status"
}

stop_meson() {
	[[ -n $MESON_PID ]] || return 0
	kill -s TERM -- "-$MESON_PID" 2>/dev/null || true
	wait_until 5 is_gone "$MESON_PID" || true
	kill -s KILL -- "-$MESON_PID" 2>/dev/null || true
}

clean_up() {
	trap '' INT TERM
	stop_meson
	stop_servers
	leave_sandbox "$KEEP"
}

# The last line of the output is the sum, alone.
report() {
	local passed failed skipped sums
	sums=$(python3 "$here/tests.py" sum "${LOGS[@]}")
	read -r passed failed skipped <<<"$sums"
	((failed == 0)) || { say "failed:"; tail -n +2 <<<"$sums" | sed 's/^/    /' >&2; }
	((passed + failed > 0)) || warn "no test ran"
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	((failed == 0 && passed > 0))
}

# Under 90 % of lines fails.
report_coverage() {
	mkdir -p "$BUILD/coverage-report"
	(cd "$WORK/tmp" && gcovr --root "$SOURCE" --object-directory "$TREES/coverage" -j "$(nproc)" \
		--filter "$SOURCE/(core|observability|http|db|cache|domains|cli)/" \
		--json-summary "$BUILD/coverage-report/summary.json" --html-details "$BUILD/coverage-report/index.html") >&2 ||
		die "gcovr could not read the coverage (see above)"
	python3 "$here/coverage.py" "$BUILD/coverage-report/summary.json" --fail-under-line 90
}

read_arguments() {
	while (($#)); do
		case $1 in
		--list) LIST=1 ;;
		--keep) KEEP=1 ;;
		--coverage) COVERAGE=1 SUITES=(unit journey threads) ;;
		-*) misuse "test knows --list and --keep, not '$1'" ;;
		*) WISHES+=("$1") ;;
		esac
		shift
	done
	[[ $FUZZ_SECONDS =~ ^[1-9][0-9]*$ ]] || misuse "MILLRACE_FUZZ_SECONDS is '$FUZZ_SECONDS': a number of seconds, 1 or more"
}

main() {
	local listing tree status=0
	help_if_asked "${BASH_SOURCE[0]}" "$@"
	read_arguments "$@"
	bash "$here/setup.sh" --test

	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	enter_sandbox

	# One run builds at a time; runs may test at the same time.
	mkdir -p "$TREES"
	exec 9>"$TREES/.lock"
	flock 9
	listing=$(list_all)
	[[ -z $LIST ]] || { cut -f 2- <<<"$listing"; return; }
	CHOSEN=$(choose "$listing")
	[[ -n $CHOSEN ]] || { report; return; }
	for tree in "${ALL_TREES[@]}"; do
		! grep -q "^$tree"$'\t' <<<"$CHOSEN" || build_tree "$tree"
	done
	if grep -qE $'\t(unit|journey|threads)\t' <<<"$CHOSEN"; then
		build_release
		start_postgres
		start_redis
	fi
	flock -s 9

	sanitizer_options
	for tree in "${ALL_TREES[@]}"; do
		run_tree "$tree" || status=$?
	done
	report || status=1
	[[ -z $COVERAGE ]] || report_coverage || status=1
	return "$status"
}

main "$@"
