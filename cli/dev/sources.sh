# shellcheck shell=bash
# The C files and scripts of the tree, as git knows them. Needs lib.sh. Sourced.
# SPDX-License-Identifier: Apache-2.0

# tracked PATTERN...: tracked files and new ones, relative to ROOT, that still exist.
tracked() {
	git -C "$ROOT" rev-parse --git-dir >/dev/null 2>&1 || die "this needs a git checkout"
	git -C "$ROOT" ls-files -co --exclude-standard -- "$@" | while IFS= read -r file; do
		[[ ! -f $ROOT/$file ]] || printf '%s\n' "$file"
	done
}
