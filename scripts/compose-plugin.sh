#!/usr/bin/env bash
# Puts Docker Compose v2 at the path that is given: Debian has it since 13, from where its package is unpacked.
set -euo pipefail
[[ ! -x $1 ]] || exit 0
mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists"
     -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get "${apt[@]}" update -qq
(cd "$work" && apt-get "${apt[@]}" download -qq docker-compose && dpkg-deb -x docker-compose_*.deb unpacked)
install -D -m 755 "$work/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$1"
