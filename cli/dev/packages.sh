# shellcheck shell=bash disable=SC2034
# Which Debian packages each kind of work needs, and which of them are missing. Sourced.
# SPDX-License-Identifier: Apache-2.0

LLHTTP_MIN=9.4.2
YYJSON_MIN=0.10.0
HIREDIS_MIN=1.2.0

# These come from Debian's testing archive where the release has nothing new enough.
PINNED_PACKAGES=(libllhttp-dev libllhttp9.4 libyyjson-dev libyyjson0)

BUILD_PACKAGES=(
	gcc libc6-dev make meson ninja-build pkg-config ca-certificates
	libuv1-dev libpq-dev libsqlite3-dev libssl-dev libargon2-dev libfyaml-dev
	zlib1g-dev libidn2-dev libzxcvbn-dev libllhttp-dev libyyjson-dev
)
TEST_PACKAGES=(
	libcmocka-dev postgresql redis-server redis-tools prometheus clang llvm
	python3 gcovr curl git procps
)
TOOL_PACKAGES=(clang-format clang-tidy cppcheck shellcheck)

is_installed() {
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# missing_of NAME...: those that are not installed, one a line. One dpkg-query for all.
missing_of() {
	local present
	present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p') || true
	printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "${present:-.}") || true
}

version_at_least() {
	local version
	version=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null) || return 1
	dpkg --compare-versions "$version" ge "$2"
}

# libFuzzer lives in a package that carries the number of clang.
clang_runtime_package() {
	local depends
	depends=$(dpkg-query -W -f '${Depends}' clang 2>/dev/null) ||
		depends=$(apt-cache show --no-all-versions clang 2>/dev/null | sed -n 's/^Depends: //p' | head -n 1)
	sed -n 's/.*\bclang-\([0-9][0-9]*\).*/libclang-rt-\1-dev/p' <<<"$depends"
}

# missing_packages GROUP...: what apt has to install for build, test, tools.
missing_packages() {
	local group wanted=()
	for group in "$@"; do
		case $group in
		build) wanted+=("${BUILD_PACKAGES[@]}") ;;
		test) wanted+=("${TEST_PACKAGES[@]}" "$(clang_runtime_package)") ;;
		tools) wanted+=("${TOOL_PACKAGES[@]}") ;;
		esac
	done
	missing_of "${wanted[@]}"
	[[ " $* " != *' build '* ]] || old_pinned_packages "${wanted[@]}"
}

# Installed, but older than the code can live with.
old_pinned_packages() {
	! is_installed libllhttp-dev || version_at_least libllhttp-dev "$LLHTTP_MIN" || echo libllhttp-dev
	! is_installed libyyjson-dev || version_at_least libyyjson-dev "$YYJSON_MIN" || echo libyyjson-dev
}
