# shellcheck shell=bash disable=SC2034
# The build trees under build/: configured once, reconfigured when what was asked has changed.
# Needs lib.sh. Sourced.
# SPDX-License-Identifier: Apache-2.0

RELEASE_OPTIONS=(--buildtype=release -Db_lto=true)
SANITIZE_OPTIONS=(--buildtype=debug -Doptimization=1 "-Db_sanitize=address,undefined" -Db_lundef=false -Dwerror=true -Dtests=true)
THREADS_OPTIONS=(--buildtype=debug -Doptimization=1 -Db_sanitize=thread -Db_lundef=false -Dwerror=true -Dtests=true)
FUZZ_OPTIONS=(--buildtype=debug -Doptimization=1 "-Db_sanitize=address,undefined" -Db_lundef=false -Dfuzz=true)
COVERAGE_OPTIONS=(--buildtype=debug -Db_coverage=true -Dtests=true)
LINT_OPTIONS=(--buildtype=debugoptimized -Dwerror=true)

# tree_build SOURCE FOLDER OPTION...: configures when needed, then compiles.
tree_build() {
	tree_configure "$@"
	ninja -C "$2" --quiet >&2
}

tree_configure() {
	local source=$1 folder=$2 wish=''
	shift 2
	wish="$source $* ${CC:-}"
	if [[ -f $folder/build.ninja && $(cat "$folder/.millrace-options" 2>/dev/null) == "$wish" ]]; then
		# Brings the tree up to date with a meson.build that has changed; nothing is compiled.
		quietly ninja -C "$folder" build.ninja || die "meson could not reconfigure $folder (see above)"
		return
	fi
	[[ ! -e $folder ]] || rm -rf "$folder"
	mkdir -p "${folder%/*}" 2>/dev/null || true
	[[ -w ${folder%/*} ]] ||
		die "${folder%/*} cannot be written by $(id -un): remove it (it may be another user's), then try again"
	quietly meson setup "$folder" "$source" "$@" ||
		die "meson could not configure $folder (see above)"
	printf '%s\n' "$wish" >"$folder/.millrace-options"
}
