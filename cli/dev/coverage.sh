#!/usr/bin/env bash
# ./dev coverage [SUITE or TEST...]
# Runs the unit tests, journeys and threads and prints the lines they reach, per folder.
#
# Fails under 90 % of all lines. The report by file is build/coverage-report/index.html.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"

help_if_asked "${BASH_SOURCE[0]}" "$@"
exec bash "$here/test.sh" --coverage "$@"
