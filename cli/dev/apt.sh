# shellcheck shell=bash
# Everything that talks to apt: the machine's own mirror, the pinned testing archive, quiet installs.
# Needs lib.sh and packages.sh. Sourced.
# SPDX-License-Identifier: Apache-2.0

APT_DIR=/etc/apt
TESTING_SOURCES=$APT_DIR/sources.list.d/millrace-testing.sources
TESTING_PIN=$APT_DIR/preferences.d/millrace
POLICY_RC=/usr/sbin/policy-rc.d
CLUSTER_CONF=/etc/postgresql-common/createcluster.d/millrace.conf

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 NEEDRESTART_MODE=l \
		apt-get -q -y -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

apt_update() {
	say "reading the package lists"
	quietly apt_get update || die "apt-get update failed: check the network and the files in $APT_DIR/sources.list.d"
}

release_codename() {
	(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
}

# machine_mirror: "URI<TAB>keyring" of the archive this machine installs its release from; the
# keyring may be empty (apt then trusts its own). Reads deb822 files first, then the classic ones.
machine_mirror() {
	local found
	found=$(mirror_of_deb822 | head -n 1)
	[[ -n $found ]] || found=$(mirror_of_classic | head -n 1)
	[[ -n $found ]] || return 1
	printf '%s\n' "$found"
}

mirror_of_deb822() {
	local file
	for file in "$APT_DIR"/sources.list.d/*.sources; do
		[[ -r $file && $file != */millrace-testing.sources ]] || continue
		awk -v release="$(release_codename)" -f "$ROOT/cli/dev/mirror-deb822.awk" "$file"
	done
}

mirror_of_classic() {
	local file
	for file in "$APT_DIR"/sources.list "$APT_DIR"/sources.list.d/*.list; do
		[[ -r $file ]] || continue
		sed -nE "s/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+)[[:space:]]+($(release_codename)|stable|oldstable)[[:space:]].*/\2\t\1/p" "$file" |
			sed -E 's/\t.*signed-by=([^] ]+).*/\t\1/; t; s/\t.*/\t/'
	done
}

# source_stanza TYPES SUITE: a deb822 source on the machine's own mirror.
source_stanza() {
	local mirror uri keyring
	mirror=$(machine_mirror) ||
		die "no apt source of $(release_codename) under $APT_DIR: add one (see sources.list(5)), then ./dev setup"
	IFS=$'\t' read -r uri keyring <<<"$mirror"
	printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\n' "$1" "$uri" "$2"
	[[ -z ${keyring:-} ]] || printf 'Signed-By: %s\n' "$keyring"
}

candidate_is_new_enough() {
	local candidate
	candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p')
	[[ -n $candidate && $candidate != '(none)' ]] && dpkg --compare-versions "$candidate" ge "$2"
}

# Adds Debian's testing archive for the four pinned packages and nothing else.
add_testing_archive() {
	local stanza
	candidate_is_new_enough libllhttp-dev "$LLHTTP_MIN" &&
		candidate_is_new_enough libyyjson-dev "$YYJSON_MIN" && return
	say "adding Debian's testing archive for ${PINNED_PACKAGES[*]} only"
	stanza=$(source_stanza deb testing)
	as_root tee "$TESTING_PIN" >/dev/null <<-END
		# Written by ./dev setup: only what Millrace needs newer than the release has it.
		Package: *
		Pin: release a=testing
		Pin-Priority: -1

		Package: ${PINNED_PACKAGES[*]}
		Pin: release a=testing
		Pin-Priority: 990
	END
	# Mirrors that stand still (snapshots, caches) outlive the date in testing's release file. The
	# signature is checked all the same, and older versions than ours are refused by number.
	as_root tee "$TESTING_SOURCES" >/dev/null <<-END
		# Written by ./dev setup; $TESTING_PIN keeps everything else of it away.
		$stanza
		Check-Valid-Until: no
	END
	if ! quietly apt_get update; then
		as_root rm -f "$TESTING_SOURCES" "$TESTING_PIN"
		die "the mirror of this machine serves no Debian testing (see above): llhttp >= $LLHTTP_MIN comes from there"
	fi
	candidate_is_new_enough libllhttp-dev "$LLHTTP_MIN" ||
		die "the testing archive of this machine's mirror has no llhttp >= $LLHTTP_MIN: see 'apt-cache policy libllhttp-dev'"
}

# Services of packages we install must not start by themselves.
forbid_service_starts() {
	MADE_POLICY='' MADE_CLUSTER_CONF=''
	if [[ ! -e $POLICY_RC ]]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY_RC" >/dev/null
		as_root chmod 755 "$POLICY_RC"
		MADE_POLICY=1
	fi
	if ! is_installed postgresql && [[ ! -e $CLUSTER_CONF ]]; then
		as_root mkdir -p "${CLUSTER_CONF%/*}"
		as_root tee "$CLUSTER_CONF" >/dev/null <<<"create_main_cluster = false"
		MADE_CLUSTER_CONF=1
	fi
}

allow_service_starts() {
	[[ -z ${MADE_POLICY:-} ]] || as_root rm -f "$POLICY_RC"
	[[ -z ${MADE_CLUSTER_CONF:-} ]] || as_root rm -f "$CLUSTER_CONF"
	MADE_POLICY='' MADE_CLUSTER_CONF=''
}

install_packages() {
	say "installing $# packages: $*"
	trap allow_service_starts EXIT
	forbid_service_starts
	quietly apt_get install --no-install-recommends "$@" ||
		die "apt-get could not install them (see above); try: ${SUDO_HINT}apt-get install --no-install-recommends $*"
	allow_service_starts
	trap - EXIT
}
