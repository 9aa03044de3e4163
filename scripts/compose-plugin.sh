#!/usr/bin/env bash
# Puts Docker Compose v2 at the path that is given: Debian has it since 13, from where its package is unpacked.
# An older Debian gets that package alone from the mirror of its own sources, and installs nothing.
set -euo pipefail
[[ ! -x $1 ]] || exit 0
. "$(dirname "${BASH_SOURCE[0]}")/mirror.sh"
[[ $mirror ]] || { echo "no mirror of Debian among the sources in $etc: Docker Compose is not fetched" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
apt_from trixie "$work" deb
(cd "$work" && apt-get "${apt[@]}" download -qq docker-compose && dpkg-deb -x docker-compose_*.deb unpacked)
install -D -m 755 "$work/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$1"
