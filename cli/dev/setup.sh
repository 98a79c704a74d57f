#!/usr/bin/env bash
# ./dev setup [--test] [--tools] [--all]
# Installs what is missing to build Millrace, on a fresh Debian 12 or 13; asks nothing.
#
#   --test    also what ./dev test needs: PostgreSQL, Redis, clang, promtool
#   --tools   also what format, lint and coverage need: clang-format, clang-tidy, cppcheck
#   --all     all of these, and hiredis >= 1.2
#
# The other verbs call it when something is missing. With everything there it does nothing.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"
# shellcheck source=cli/dev/packages.sh
source "$here/packages.sh"
# shellcheck source=cli/dev/apt.sh
source "$here/apt.sh"
# shellcheck source=cli/dev/hiredis.sh
source "$here/hiredis.sh"
# shellcheck source=cli/dev/explorer.sh
source "$here/explorer.sh"

SUDO_HINT=$(is_root || echo 'sudo ')

require_debian() {
	{ [[ -f /etc/debian_version ]] && have apt-get; } ||
		die "./dev setup knows Debian 12 and 13 only; here, install by hand what cli/dev/packages.sh lists"
}

require_root_for() {
	can_be_root && return
	die "installing packages needs root and sudo is not available here; run as root:
    apt-get install --no-install-recommends $*
or, which also adds Debian's testing archive for ${PINNED_PACKAGES[*]}:
    su -c '$ROOT/dev setup'"
}

install_missing() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	require_debian
	require_root_for "${missing[@]}"
	apt_update
	add_testing_archive
	# The number of clang is known only now that apt has read its lists.
	mapfile -t missing < <(missing_packages "$@")
	install_packages "${missing[@]}"
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]} == 0)) || die "still missing after the installation: ${missing[*]}"
}

main() {
	local groups=(build) want_hiredis='' argument
	help_if_asked "${BASH_SOURCE[0]}" "$@"
	for argument in "$@"; do
		case $argument in
		--test) groups+=(test) ;;
		--tools) groups+=(tools) ;;
		--all) groups+=(test tools) want_hiredis=1 ;;
		*) misuse "setup knows --test, --tools and --all, not '$argument'" ;;
		esac
	done
	install_missing "${groups[@]}"
	[[ -z $want_hiredis ]] || install_hiredis
	install_explorer
}

main "$@"
