#!/usr/bin/env bash
# ./dev ci
# Runs what a change must pass: every test.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"

help_if_asked "${BASH_SOURCE[0]}" "$@"
exec "$ROOT/dev" test
