#!/usr/bin/env bash
# ./dev run [ARGUMENT OF serve...]
# Builds what has changed and starts the server; its data goes to ./data.
#
# ./dev run --port 8080 passes --port 8080 to `millrace serve`.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
	show_help "${BASH_SOURCE[0]}"
	exit 0
fi
bash "$here/build.sh"
cd "$ROOT"
exec "$BUILD/millrace" serve "$@"
