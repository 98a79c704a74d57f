#!/usr/bin/env bash
# ./dev bench [ARGUMENT...]
# Measures the optimised binary with test/bench/run, next to a raw epoll server.
#
# Starts a PostgreSQL of its own in a temporary folder, and stops it. --help of the arguments:
# ./dev bench -- --help
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"
# shellcheck source=cli/dev/sandbox.sh
source "$here/sandbox.sh"
# shellcheck source=cli/dev/servers.sh
source "$here/servers.sh"

finish() {
	stop_servers
	leave_sandbox ''
}

help_if_asked "${BASH_SOURCE[0]}" "$@"
[[ ${1:-} != -- ]] || shift
[[ -x $ROOT/test/bench/run ]] || die "there is no benchmark: test/bench/run is missing"
bash "$here/setup.sh" --test
bash "$here/build.sh"
if is_root; then
	AS_USER=(setpriv --reuid="$TEST_USER" --regid="$(id -g "$TEST_USER")" --clear-groups --inh-caps=-all)
fi
make_work_folder
trap finish EXIT
start_postgres
# Beside the load generator: the server has its core for itself.
taskset -cp 1 "$POSTGRES_PID" >/dev/null
psql -qX "$MILLRACE_TEST_POSTGRES_URL" -c 'CREATE DATABASE bench'
export MILLRACE_BENCH_POSTGRES_URL=${MILLRACE_TEST_POSTGRES_SOCKET_URL/\/postgres\?/\/bench?}
export MILLRACE_BINARY=$BUILD/millrace
cd "$ROOT"
test/bench/run "$@"
