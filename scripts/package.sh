#!/usr/bin/env bash
# Makes a release: one tarball with Node, the built program and its modules, which runs from any folder of an x86-64
# Linux with glibc 2.28 or newer, without npm, network or root.
#
#   scripts/package.sh [FOLDER]      writes rag-allinone-VERSION-linux-x64.tar.gz and SHA256SUMS there; default: release
#
# The same commit gives the same bytes, wherever and by whomever it is made.
out=${1:-$(dirname "${BASH_SOURCE[0]}")/../release}
mkdir -p "$out" && out=$(cd "$out" && pwd)
# shellcheck source=scripts/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

case $(uname -sm) in "Linux x86_64") ;; *)
  echo "Cannot make a release: this is $(uname -sm), Linux x86_64 is wanted" >&2
  exit 78
  ;;
esac
install_packages
use_project_node
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

name=rag-allinone-$(node -p 'require("./package.json").version')-linux-x64
stage=$work/$name
mkdir "$stage" "$work/modules" "$work/build"
cp package.json package-lock.json "$work/modules"
# Not `npm ci`, see scripts/project.sh. The checksums are those of the lock; no module's own script is run.
(cd "$work/modules" && npm install --omit=dev --no-save --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error >/dev/null)
# By the checkout's own command, but of nothing that an earlier build left in its dist.
cp -R src tsconfig.json package.json "$work/build"
ln -s "$PWD/node_modules" "$work/build/node_modules"
(cd "$work/build" && npm run --silent build)
find "$work/build/dist" -name '*.map' -delete
mv "$work/build/dist" "$stage/dist"
node scripts/make-package.ts "$work/modules" "$stage"

time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
tar --create --directory="$work" --format=ustar --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner \
  --mode=u=rwX,go=rX "$name" | gzip -n >"$out/$name.tar.gz.part"
mv "$out/$name.tar.gz.part" "$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >SHA256SUMS)
echo "$out/$name.tar.gz: $(du -m "$out/$name.tar.gz" | cut -f1) MB, $(find "$stage" -type f | wc -l) files, $(du -sm "$stage" | cut -f1) MB unpacked"
