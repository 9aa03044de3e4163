#!/usr/bin/env bash
# Puts a Kubernetes for the lab into the folder that is given: kube-apiserver, -controller-manager, -scheduler and kubelet
# built from the source package of Debian 12, and that Debian's etcd, kubectl and socat, unpacked. It installs nothing and
# takes some minutes of a processor, once: what is there already is kept.
set -euo pipefail
packages=(etcd-server kubernetes-client socat libwrap0)
built=(kube-apiserver kube-controller-manager kube-scheduler kubelet)
[[ ! -e $1/done ]] || exit 0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
# one builds, others wait for it
exec 9>"$folder/lock"
flock 9
[[ ! -e $folder/done ]] || exit 0
. "$here/mirror.sh"
[[ $mirror ]] || { echo "no mirror of Debian among the sources in $etc: Kubernetes is not built" >&2; exit 1; }
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
apt_from bookworm "$work" deb deb-src
cd "$work"
apt-get "${apt[@]}" download -qq "${packages[@]}" golang-1.19-go golang-1.19-src
for package in *.deb; do
  case $package in golang-*) dpkg-deb -x "$package" go ;; *) dpkg-deb -x "$package" unpacked ;; esac
done
apt-get "${apt[@]}" source -qq --download-only kubernetes
tar xzf kubernetes_*.orig.tar.gz
source=$(echo "$work"/kubernetes-*/)
source=${source%/}
version=${source##*kubernetes-}
cd "$source"
tar xJf "$work"/kubernetes_*.debian.tar.xz
while read -r name; do patch -p1 -s <"debian/patches/$name"; done <debian/patches/series

# what Kubernetes' own make does for these four, without the generators whose output the source has already, and without
# the clients of clouds, which are a third of all
export GOPATH=$work/path GOROOT=$work/go/usr/lib/go-1.19 GOCACHE=$work/built GO111MODULE=off GOFLAGS= CGO_ENABLED=0
# a third of what the compiler takes of the processor is its collector
export GOGC=400
root=k8s.io/kubernetes
mkdir -p "$GOPATH/src/k8s.io"
mv "$source" "$GOPATH/src/$root"
cd "$GOPATH/src/$root"
# it ends with this script
go() { setpriv --pdeathsig TERM "$GOROOT/bin/go" "$@"; }
go build -o "$work/openapi-gen" "./vendor/k8s.io/kube-openapi/cmd/openapi-gen"
described=$(
  grep --include='*.go' -rl '+k8s:openapi-gen=' cmd pkg plugin staging/src/k8s.io |
    grep -Ev '_test\.go$|/testdata/|k8s.io/(code-generator|sample-apiserver)/|/generators/' |
    sed "s,^staging/src/,vendor/,; s,/[^/]*$,,; s,^,$root/," | sort -u | paste -sd,
)
PATH=$GOROOT/bin:$PATH "$work/openapi-gen" --logtostderr --input-dirs "$described" --output-package "$root/pkg/generated/openapi" \
  --output-file-base zz_generated.openapi --go-header-file hack/boilerplate/boilerplate.generatego.txt \
  --output-base "$GOPATH/src" --report-filename "$work/violations"
flags="-s -w"
for package in client-go/pkg component-base; do
  flags+=" -X $root/vendor/k8s.io/$package/version.gitVersion=v$version"
  IFS=. read -r major minor _ <<<"$version"
  flags+=" -X $root/vendor/k8s.io/$package/version.gitMajor=$major -X $root/vendor/k8s.io/$package/version.gitMinor=$minor"
done
mkdir -p "$work/out"
go build -tags providerless -ldflags "$flags" -o "$work/out/" "${built[@]/#/./cmd/}"
mkdir -p "$folder/bin"
install -m 755 "$work"/out/* "$work/unpacked/usr/bin/"{etcd,kubectl,socat} "$folder/bin/"
mkdir -p "$folder/lib"
cp -P "$work"/unpacked/usr/lib/*/libwrap.so.0* "$folder/lib/"
echo "$version" >"$folder/done"
