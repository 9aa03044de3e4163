#!/usr/bin/env bash
# Makes a Debian package of a wheel: scripts/debian-package.sh WHEEL FOLDER [PYTHON]
# The package holds the wheel with the locked versions of what it needs, in /usr/lib/litellm-tui, and touches no other
# Python of the machine. Some of them are compiled: the package is for one architecture and one Python (that of Debian
# here, or PYTHON, such as 3.13 for Debian 13). What is written is the same for the same commit.
set -euo pipefail
wheel=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. ./scripts/uv.sh
python=${3:-$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')}
architecture=$(dpkg --print-architecture)
version=$(basename "$wheel" | cut -d- -f2)
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=$work/package/usr/lib/litellm-tui
mkdir -p "$library" "$work/package/usr/bin" "$work/package/DEBIAN" "$work/package/usr/share/doc/litellm-tui"

"$UV" export --quiet --frozen --no-default-groups --no-emit-project --format requirements-txt --output-file "$work/locked.txt" >/dev/null
"$UV" pip install --quiet --target "$library" --python-version "$python" --python-platform "$(uname -m)-manylinux_2_28" \
  --only-binary :all: --no-deps --require-hashes -r "$work/locked.txt"
"$UV" pip install --quiet --target "$library" --python-version "$python" --no-deps "$wheel"
# what says when and by whom it was installed differs each time, and scripts of others are none of this package
rm -rf "$library/bin" "$library/.lock"
find "$library" \( -name __pycache__ -o -name INSTALLER -o -name REQUESTED -o -name direct_url.json -o -name uv_cache.json \) \
  -prune -exec rm -rf {} +

cat >"$work/package/usr/bin/litellm-tui" <<'PROGRAM'
#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/usr/lib/litellm-tui")
sys.dont_write_bytecode = True
from litellm_tui.cli import main

sys.exit(main())
PROGRAM
chmod 755 "$work/package/usr/bin/litellm-tui"
cp LICENSE "$work/package/usr/share/doc/litellm-tui/copyright"
gzip -9n <CHANGELOG.md >"$work/package/usr/share/doc/litellm-tui/changelog.gz"
next=${python%.*}.$((${python#*.} + 1))
cat >"$work/package/DEBIAN/control" <<CONTROL
Package: litellm-tui
Version: $version
Architecture: $architecture
Maintainer: litellm-tui maintainers <litellm-tui@localhost>
Depends: python3 (>= $python), python3 (<< $next)
Recommends: openssh-client
Section: admin
Priority: optional
Installed-Size: $(du -sk "$work/package/usr" | cut -f1)
Description: operator console for a LiteLLM gateway
 What is broken, since when, why, who is affected, and what to do next: from the
 gateway, its configuration, its service and its log. Restarts with rehearsal,
 proof and the way back.
CONTROL
chmod -R u=rwX,go=rX "$work/package"
find "$work/package" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz -z1 --build "$work/package" "$folder/litellm-tui_${version}_${architecture}_python$python.deb" >/dev/null
echo "$folder/litellm-tui_${version}_${architecture}_python$python.deb"
