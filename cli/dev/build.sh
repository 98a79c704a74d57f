#!/usr/bin/env bash
# ./dev build [MESON OPTION...]
# Builds the optimised binary, build/millrace.
#
# Extra arguments go to meson setup, as in ./dev build -Db_lto=false.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"
# shellcheck source=cli/dev/tree.sh
source "$here/tree.sh"

help_if_asked "${BASH_SOURCE[0]}" "$@"
bash "$here/setup.sh"
tree_build "$ROOT" "$BUILD/release" "${RELEASE_OPTIONS[@]}" "$@"

[[ -f $BUILD/release/millrace ]] || die "there is no millrace executable: cli/meson.build is missing"
# A hard link: nothing is copied, and a server that runs keeps its own file.
[[ $BUILD/millrace -ef $BUILD/release/millrace ]] ||
	ln -f "$BUILD/release/millrace" "$BUILD/millrace" 2>/dev/null ||
	cp -f --remove-destination "$BUILD/release/millrace" "$BUILD/millrace"
