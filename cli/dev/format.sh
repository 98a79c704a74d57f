#!/usr/bin/env bash
# ./dev format [--check] [FILE...]
# Formats the C sources as .clang-format says, or with --check only tells which differ.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"
# shellcheck source=cli/dev/sources.sh
source "$here/sources.sh"

main() {
	local mode=(-i) files=() argument
	help_if_asked "${BASH_SOURCE[0]}" "$@"
	for argument in "$@"; do
		case $argument in
		--check) mode=(--dry-run --Werror) ;;
		-*) misuse "format knows --check, not '$argument'" ;;
		*) files+=("$argument") ;;
		esac
	done
	bash "$here/setup.sh" --tools
	if ((${#files[@]} == 0)); then
		cd "$ROOT"
		mapfile -t files < <(tracked '*.c' '*.h')
	fi
	((${#files[@]})) || return 0
	clang-format "${mode[@]}" -- "${files[@]}" || die "not as .clang-format has it: ./dev format"
}

main "$@"
