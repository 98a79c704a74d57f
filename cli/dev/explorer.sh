# shellcheck shell=bash
# The API explorer that web/ embeds: fetched by npm at exactly the locked version.
# Needs lib.sh, packages.sh and apt.sh. Sourced.
# SPDX-License-Identifier: Apache-2.0

EXPLORER_FILE=$ROOT/web/node_modules/rapidoc/dist/rapidoc-min.js
EXPLORER_STAMP=$ROOT/web/node_modules/.millrace-lock

install_explorer() {
	explorer_is_current && return
	have npm || install_npm
	say "fetching the API explorer (npm ci in web/)"
	(cd "$ROOT/web" && quietly npm ci --ignore-scripts --no-audit --no-fund) ||
		die "npm ci failed in web/: check that this machine reaches its npm registry (npm config get registry), then ./dev setup"
	[[ -s $EXPLORER_FILE ]] || die "npm ci brought no ${EXPLORER_FILE#"$ROOT"/}"
	cp "$ROOT/web/package-lock.json" "$EXPLORER_STAMP"
	# Set up by root in a tree of somebody else, who has to be able to replace it.
	! is_root || chown -hR --reference="$ROOT/web" "$ROOT/web/node_modules"
}

explorer_is_current() {
	[[ -s $EXPLORER_FILE ]] && cmp -s "$ROOT/web/package-lock.json" "$EXPLORER_STAMP"
}

install_npm() {
	require_debian
	require_root_for npm
	[[ -n $(apt-cache policy npm 2>/dev/null) ]] || apt_update
	install_packages nodejs npm
}
