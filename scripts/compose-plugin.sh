#!/usr/bin/env bash
# Puts Docker Compose v2 at the path that is given: Debian has it since 13, from where its package is unpacked.
# An older Debian gets that package alone from the mirror of its own sources, and installs nothing.
set -euo pipefail
[[ ! -x $1 ]] || exit 0
etc=${APT_FOLDER:-/etc/apt}
# the mirror of the first source that is Debian's own, in either form of a list; its updates of security lie elsewhere
mirror=$(
    { cat "$etc"/sources.list.d/*.sources || true; } 2>/dev/null | awk '/^URIs:/ {print $2}'
    { cat "$etc"/sources.list "$etc"/sources.list.d/*.list || true; } 2>/dev/null |
        sed -n 's/^deb *\(\[[^]]*\]\)\{0,1\} *\([^ ]*\) .*/\2/p'
)
mirror=$(grep -E '/debian/?$' <<<"$mirror" | head -n 1 || true)
[[ $mirror ]] || { echo "no mirror of Debian among the sources in $etc: Docker Compose is not fetched" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists"
     -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
apt-get "${apt[@]}" update -qq
(cd "$work" && apt-get "${apt[@]}" download -qq docker-compose && dpkg-deb -x docker-compose_*.deb unpacked)
install -D -m 755 "$work/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$1"
