# shellcheck shell=bash disable=SC2034
# A PostgreSQL cluster and a Redis of our own for one test run: in its temporary folder, on free
# ports of 127.0.0.1, stopped at the end. Needs lib.sh, and WORK and AS_USER of the caller. Sourced.
# SPDX-License-Identifier: Apache-2.0

POSTGRES_PID='' REDIS_PID=''

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A server dies with us, even when we are killed: --pdeathsig.
start_server() {
	local signal=$1 log=$2
	shift 2
	"${AS_USER[@]}" setpriv --pdeathsig "$signal" "$@" >"$log" 2>&1 </dev/null 9>&- &
}

# wait_until SECONDS COMMAND...: tries ten times a second.
wait_until() {
	local tries=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		((tries-- > 0)) || return 1
		sleep 0.1
	done
}

newest_postgres_bin() {
	local newest
	newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[[ -x $newest/initdb ]] || die "no PostgreSQL server is installed: ./dev setup --test"
	printf '%s\n' "$newest"
}

start_postgres() {
	local bin port tries
	bin=$(newest_postgres_bin)
	"${AS_USER[@]}" mkdir -m 700 "$WORK/pg"
	quietly "${AS_USER[@]}" "$bin/initdb" -D "$WORK/pg/data" -U millrace --auth=trust -E UTF8 \
		--locale=C.UTF-8 --no-sync || die "initdb failed (see above)"
	postgres_settings | "${AS_USER[@]}" tee -a "$WORK/pg/data/postgresql.conf" >/dev/null
	printf 'host all scram 127.0.0.1/32 scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n' |
		"${AS_USER[@]}" tee "$WORK/pg/data/pg_hba.conf" >/dev/null
	for tries in 1 2 3; do
		port=$(free_port)
		start_server INT "$WORK/pg.log" "$bin/postgres" -D "$WORK/pg/data" -p "$port"
		POSTGRES_PID=$!
		wait_until 30 postgres_answers_or_died "$bin" "$port" && kill -0 "$POSTGRES_PID" 2>/dev/null && break
		((tries < 3)) || die "PostgreSQL did not start: $(tail -n 5 "$WORK/pg.log")"
	done
	"${AS_USER[@]}" "$bin/psql" -q -h 127.0.0.1 -p "$port" -U millrace -d postgres \
		-c "CREATE ROLE scram SUPERUSER LOGIN PASSWORD 'scram'"
	export MILLRACE_TEST_POSTGRES_URL="postgresql://millrace@127.0.0.1:$port/postgres"
	export MILLRACE_TEST_POSTGRES_SCRAM_URL="postgresql://scram:scram@127.0.0.1:$port/postgres"
	export MILLRACE_TEST_POSTGRES_SOCKET_URL="postgresql://millrace@/postgres?host=$WORK/pg&port=$port"
}

postgres_settings() {
	cat <<-END
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '$WORK/pg'
		max_connections = 400
		shared_buffers = 64MB
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		wal_level = minimal
		max_wal_senders = 0
		log_min_messages = warning
	END
}

postgres_answers_or_died() {
	! kill -0 "$POSTGRES_PID" 2>/dev/null || "$1/pg_isready" -q -h 127.0.0.1 -p "$2" -U millrace -d postgres
}

start_redis() {
	local port tries
	"${AS_USER[@]}" mkdir -m 700 "$WORK/redis"
	for tries in 1 2 3; do
		port=$(free_port)
		start_server TERM "$WORK/redis.log" redis-server --bind 127.0.0.1 --port "$port" \
			--save '' --appendonly no --daemonize no --dir "$WORK/redis"
		REDIS_PID=$!
		wait_until 10 redis_answers_or_died "$port" && kill -0 "$REDIS_PID" 2>/dev/null && break
		((tries < 3)) || die "Redis did not start: $(tail -n 5 "$WORK/redis.log")"
	done
	export MILLRACE_TEST_REDIS_URL="redis://127.0.0.1:$port/0"
}

redis_answers_or_died() {
	! kill -0 "$REDIS_PID" 2>/dev/null || redis-cli -p "$1" ping
}

# stop_process PID SIGNAL: asks, waits ten seconds, then insists.
stop_process() {
	[[ -n $1 ]] && kill -0 "$1" 2>/dev/null || return 0
	kill -s "$2" "$1" 2>/dev/null || true
	wait_until 10 is_gone "$1" || kill -s KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

is_gone() { [[ ! -d /proc/$1 || $(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null) == Z ]]; }

stop_servers() {
	stop_process "$REDIS_PID" TERM
	stop_process "$POSTGRES_PID" INT
	REDIS_PID='' POSTGRES_PID=''
}
