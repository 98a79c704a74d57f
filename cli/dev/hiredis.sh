# shellcheck shell=bash
# hiredis >= 1.2: a package on Debian 13; on Debian 12 built from Debian's own newer source package.
# Needs lib.sh, packages.sh and apt.sh. Sourced.
# SPDX-License-Identifier: Apache-2.0

install_hiredis() {
	version_at_least libhiredis-dev "$HIREDIS_MIN" && return
	require_debian
	require_root_for libhiredis-dev
	apt_update
	if candidate_is_new_enough libhiredis-dev "$HIREDIS_MIN"; then
		install_packages libhiredis-dev
	else
		build_hiredis
	fi
	version_at_least libhiredis-dev "$HIREDIS_MIN" || die "hiredis >= $HIREDIS_MIN did not install"
}

build_hiredis() {
	local folder=''
	folder=$(mktemp -d "${TMPDIR:-/tmp}/millrace-hiredis.XXXXXX")
	say "building hiredis from Debian's newer source package"
	install_packages dpkg-dev debhelper build-essential fakeroot libssl-dev libevent-dev libsystemd-dev
	(cd "$folder" && fetch_hiredis_source && build_hiredis_packages) ||
		die "hiredis did not build; the sources are in $folder"
	quietly apt_get install --no-install-recommends "$folder"/libhiredis*.deb ||
		die "the hiredis packages in $folder did not install"
	rm -rf "$folder"
}

# A private list of sources: the system's own lists stay as they are.
fetch_hiredis_source() {
	local private
	mkdir -p lists/partial
	source_stanza deb-src "${MILLRACE_HIREDIS_SUITE:-trixie}" >hiredis.sources
	private=(-q -o Dir::Etc::sourcelist="$PWD/hiredis.sources" -o Dir::Etc::sourceparts=-
		-o Dir::State::lists="$PWD/lists" -o APT::Sandbox::User=root -o Acquire::Retries=3)
	quietly apt-get "${private[@]}" update
	quietly apt-get "${private[@]}" source hiredis
}

build_hiredis_packages() {
	local source
	source=$(find . -mindepth 1 -maxdepth 1 -type d -name 'hiredis-*')
	(cd "$source" && DEB_BUILD_OPTIONS='nocheck noautodbgsym' DEB_BUILD_PROFILES=nocheck \
		quietly dpkg-buildpackage -us -uc -b)
}
