#!/usr/bin/env bash
# ./dev k6 [ARGUMENT...]
# Runs the load scenarios in k6/ against the optimised binary.
#
# k6 itself is built once, as a Go module at a pinned version, into build/cache. Only this verb
# needs it. Arguments go to k6/run.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cli/dev/lib.sh
source "$here/lib.sh"
# shellcheck source=cli/dev/packages.sh
source "$here/packages.sh"
# shellcheck source=cli/dev/apt.sh
source "$here/apt.sh"

K6_VERSION=v1.8.1
GO_NEEDED=1.25.12	# what this k6 asks for
GO_SELECTS=1.21		# from here on, go fetches a newer go by itself
CACHE=$BUILD/cache/k6-$K6_VERSION
SUDO_HINT=$(is_root || echo 'sudo ')

go_version() { "$1" env GOVERSION 2>/dev/null | sed 's/^go//; s/ .*//'; }

go_is_at_least() { have "$1" && dpkg --compare-versions "$(go_version "$1")" ge "$2"; }

install_go() {
	{ [[ -f /etc/debian_version ]] && can_be_root; } ||
		die "k6 is built by Go >= $GO_SELECTS, which is not here: install it, then ./dev k6"
	apt_update
	install_packages golang-go
}

# Go before 1.21 cannot fetch its successor by itself, but it can fetch it as the module it is.
fetch_newer_go() {
	local module folder
	module=golang.org/toolchain@v0.0.1-go$GO_NEEDED.linux-$(go env GOARCH)
	folder=$(cd / && go env GOMODCACHE)/$module
	say "fetching Go $GO_NEEDED as a module"
	(cd / && quietly go mod download "$module") || die "Go $GO_NEEDED could not be fetched: install Go >= $GO_SELECTS, then ./dev k6"
	chmod -R u+w "$folder"
	chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
	PATH=$folder/bin:$PATH
}

install_k6() {
	go_is_at_least go 1.0 || install_go
	go_is_at_least go "$GO_SELECTS" || fetch_newer_go
	if ! go_is_at_least go "$GO_NEEDED"; then
		export GOTOOLCHAIN=go$GO_NEEDED
	fi
	say "building k6 $K6_VERSION (a few minutes, once)"
	GOBIN=$CACHE.new CGO_ENABLED=0 quietly go install "go.k6.io/k6@$K6_VERSION" ||
		die "k6 did not build (see above): check that this machine reaches its Go module proxy (go env GOPROXY), then ./dev k6"
	rm -rf "$CACHE"
	mv "$CACHE.new" "$CACHE"
}

help_if_asked "${BASH_SOURCE[0]}" "$@"
[[ -x $CACHE/k6 ]] || install_k6
[[ -x $ROOT/k6/run ]] || die "there is no scenario to run: k6/run is missing"
bash "$here/build.sh"
cd "$ROOT"
export PATH=$CACHE:$PATH MILLRACE_BINARY=$BUILD/millrace
exec k6/run "$@"
