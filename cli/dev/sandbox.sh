# shellcheck shell=bash disable=SC2034
# Where a test run lives and as whom: a temporary folder, a user without privileges, sources that
# this user can read, an environment without the developer's own settings. Needs lib.sh. Sourced.
# SPDX-License-Identifier: Apache-2.0

TEST_USER=nobody
AS_USER=()	# the prefix that runs a command as the unprivileged user; empty when we are one
WORK=''		# the temporary folder
SOURCE=$ROOT	# the sources that are tested
TREES=$BUILD	# where the build trees of these sources are

enter_sandbox() {
	umask 022
	if is_root; then
		AS_USER=(setpriv --reuid="$TEST_USER" --regid="$(id -g "$TEST_USER")" --clear-groups --inh-caps=-all)
	fi
	make_work_folder
	clean_environment
	choose_source
	cd "$SOURCE" || exit
}

# Short, because the path of a unix socket has 107 bytes, and where the user can write.
make_work_folder() {
	local parent=${TMPDIR:-/tmp}
	((${#parent} < 50)) && "${AS_USER[@]}" test -w "$parent" -a -x "$parent" || parent=/tmp
	WORK=$("${AS_USER[@]}" mktemp -d "$parent/millrace.XXXXXX")
	"${AS_USER[@]}" chmod 755 "$WORK"
	"${AS_USER[@]}" mkdir "$WORK/home" "$WORK/tmp"
}

clean_environment() {
	local name
	for name in $(compgen -e); do
		case $name in
		PORT | HOST | APP_ENV | LOG_LEVEL | JWT_SECRET | DATABASE_URL | REDIS_URL | *_proxy | *_PROXY) unset "$name" ;;
		PG* | MILLRACE_* | ASAN_OPTIONS | UBSAN_OPTIONS | LSAN_OPTIONS | TSAN_OPTIONS) unset "$name" ;;
		esac
	done
	((${#AS_USER[@]} == 0)) || PATH=$(reachable_path)
	export HOME=$WORK/home TMPDIR=$WORK/tmp LC_ALL=C.UTF-8 TZ=UTC
	# The checkout may belong to somebody else than the user of the tests.
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
}

# Programs in a folder of root's own are not for the tests: meson would write their paths down.
reachable_path() {
	# shellcheck disable=SC2016
	"${AS_USER[@]}" bash -c '
		IFS=:
		for folder in $PATH; do
			[[ ! -r $folder || ! -x $folder ]] || printf "%s:" "$folder"
		done' | sed 's/:$//'
}

choose_source() {
	((${#AS_USER[@]})) || return 0
	if [[ $("${AS_USER[@]}" find "$ROOT" \( -path "$ROOT/.git" -o -path "$BUILD" -o -path "$ROOT/data" \) -prune \
		-o ! -readable -print 2>&1 | head -n 1) == '' ]]; then
		return 0
	fi
	say "$TEST_USER cannot read $ROOT: testing a copy in $WORK"
	SOURCE=$WORK/source TREES=$WORK/source/build
	mkdir "$SOURCE"
	copy_tree | tar -C "$SOURCE" -xf -
	chmod -R a+rX "$SOURCE"
}

copy_tree() {
	if git -C "$ROOT" rev-parse --git-dir >/dev/null 2>&1; then
		{ cd "$ROOT" && git ls-files -z -co --exclude-standard && find web/node_modules .git -type f -print0; } |
			tar -C "$ROOT" --null --ignore-failed-read -T - -cf - 2>/dev/null
	else
		tar -C "$ROOT" --exclude=./build --exclude=./data -cf - .
	fi
}

# The user writes meson's logs and nothing else of a tree; what gcov counts lies next to the objects.
open_tree() {
	local folder=$1/meson-logs
	mkdir -p "$folder"
	[[ ${1##*/} != coverage ]] || folder=$1
	((${#AS_USER[@]} == 0)) || chown -R "$TEST_USER" "$folder"
}

leave_sandbox() {
	local keep=$1
	[[ -n $WORK ]] || return 0
	cd /
	if [[ -n $keep ]]; then
		say "kept: $WORK"
	else
		rm -rf "$WORK"
	fi
}
