#!/usr/bin/env bash
# ./dev lint [C FILE...]
# Compiles with warnings as errors, then asks clang-tidy, cppcheck and shellcheck.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"
# shellcheck source=cli/dev/sources.sh
source "$here/sources.sh"
# shellcheck source=cli/dev/tree.sh
source "$here/tree.sh"

TREE=$BUILD/lint

# What meson compiles and we wrote: nothing generated.
compiled_sources() {
	python3 - "$TREE/compile_commands.json" "$ROOT" <<-'END'
		import json, os, sys
		root = sys.argv[2]
		for entry in json.load(open(sys.argv[1])):
		    path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
		    if path.startswith(root + os.sep) and not path.startswith(entry["directory"]):
		        print(os.path.relpath(path, root))
	END
}

lint_c() {
	say "clang-tidy"
	# The flags are gcc's; what clang does not know is no finding.
	printf '%s\0' "$@" | xargs -0 -n 4 -P "$(nproc)" clang-tidy --quiet -p "$TREE" \
		--extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument 2>/dev/null ||
		FAILED+=(clang-tidy)
	# Whether memory is initialised clang's analyzer knows better: cppcheck does not see it filled by a call.
	say "cppcheck"
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=uninitvar --suppress=missingInclude --suppress=missingIncludeSystem --error-exitcode=1 -j "$(nproc)" -I "$ROOT" "$@" ||
		FAILED+=(cppcheck)
}

lint_shell() {
	local scripts
	say "shellcheck"
	mapfile -t scripts < <(tracked dev .ci k6/run 'test/*/run' '*.sh' |
		xargs -d '\n' grep -lE '^#!.*\b(ba)?sh$|^# shellcheck shell=')
	shellcheck -x --severity=warning -- "${scripts[@]}" || FAILED+=(shellcheck)
}

main() {
	local files=("$@")
	FAILED=()
	help_if_asked "${BASH_SOURCE[0]}" "$@"
	cd "$ROOT"
	bash "$here/setup.sh" --test --tools
	say "compiling with warnings as errors"
	tree_build "$ROOT" "$TREE" "${LINT_OPTIONS[@]}" || FAILED+=(compiler)
	((${#files[@]})) || mapfile -t files < <(compiled_sources)
	((${#files[@]} == 0)) || lint_c "${files[@]}"
	lint_shell
	((${#FAILED[@]} == 0)) || die "not clean: ${FAILED[*]}"
}

main "$@"
