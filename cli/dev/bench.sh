#!/usr/bin/env bash
# ./dev bench [ARGUMENT...]
# Measures the optimised binary with test/bench/run.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"

help_if_asked "${BASH_SOURCE[0]}" "$@"
[[ -x $ROOT/test/bench/run ]] || die "there is no benchmark: test/bench/run is missing"
bash "$here/setup.sh" --test
bash "$here/build.sh"
cd "$ROOT"
export MILLRACE_BINARY=$BUILD/millrace
exec test/bench/run "$@"
