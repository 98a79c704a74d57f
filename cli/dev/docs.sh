#!/usr/bin/env bash
# ./dev docs [--check]
# Writes the documents that the binary knows best: settings, routes, OpenAPI.
#
# With --check nothing is written: it fails when a document is not what the binary says.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"

CHECK='' STALE=()

# document FILE ARGUMENT OF millrace...: replaced only by a complete answer, and only if it differs.
document() {
	local file=$ROOT/docs/$1 fresh
	shift
	fresh=$(mktemp)
	"$BUILD/millrace" "$@" >"$fresh" || die "build/millrace $* failed: docs/${file##*/} is as it was"
	[[ -s $fresh ]] || die "build/millrace $* says nothing: docs/${file##*/} is as it was"
	if ! cmp -s "$fresh" "$file"; then
		STALE+=("docs/${file##*/}")
		[[ -n $CHECK ]] || install -D -m 644 "$fresh" "$file"
	fi
	rm -f "$fresh"
}

help_if_asked "${BASH_SOURCE[0]}" "$@"
case ${1:-} in
--check) CHECK=1 ;;
'') ;;
*) misuse "docs knows --check, not '$1'" ;;
esac

bash "$here/build.sh"
document configuration.md config docs
document routes.md routes --markdown
document openapi.json openapi

((${#STALE[@]})) || exit 0
[[ -z $CHECK ]] || die "not what the binary says: ${STALE[*]}; run ./dev docs"
say "written: ${STALE[*]}"
