# Sets `mirror` to the mirror of Debian that this machine's sources name, "" where there is none, and has
# `apt_from RELEASE WORK [deb|deb-src]`: apt-get's options for that mirror alone, with lists and cache below WORK.
etc=${APT_FOLDER:-/etc/apt}
# the mirror of the first source that is Debian's own, in either form of a list; its updates of security lie elsewhere
mirror=$(
    { cat "$etc"/sources.list.d/*.sources || true; } 2>/dev/null | awk '/^URIs:/ {print $2}'
    { cat "$etc"/sources.list "$etc"/sources.list.d/*.list || true; } 2>/dev/null |
        sed -n 's/^deb *\(\[[^]]*\]\)\{0,1\} *\([^ ]*\) .*/\2/p'
)
mirror=$(grep -E '/debian/?$' <<<"$mirror" | head -n 1 || true)

apt_from() {
    mkdir -p "$2"/lists/partial "$2"/cache/archives/partial
    : >"$2/sources.list"
    local kind
    for kind in "${@:3}"; do
        echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >>"$2/sources.list"
    done
    apt=(-o "Dir::Etc::sourcelist=$2/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$2/lists"
         -o "Dir::Cache=$2/cache" -o APT::Sandbox::User=root)
    apt-get "${apt[@]}" update -qq
}
