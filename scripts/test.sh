#!/usr/bin/env bash
# Everything this checkout promises: `npm run check`, then every test with the project's own Node.
#
#   scripts/test.sh [--slow] [FILE...]     --slow: the *.slow.test.ts too; FILE: only these
# shellcheck source=scripts/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

packages="slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins"
export PATH=$PATH:/usr/sbin:/sbin

install_slurm() {
  command -v slurmctld >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    # shellcheck disable=SC2086
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages; } >/dev/null && return
  fi
  echo "Left out: the tests on a real Slurm. They need root and: apt-get install $packages"
}

# A real browser, for the dashboard and the report.
install_chromium() {
  [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } >/dev/null && return
  fi
  echo "Left out: the tests in a real browser. They need CHROMIUM=/path/to/one, or: apt-get install chromium"
}

slow=()
[ "${1:-}" != --slow ] || { slow=(-o -name '*.slow.test.ts'); shift; }
files=("$@")
if [ $# = 0 ]; then
  mapfile -t files < <(find test \( -name '*.test.ts' ! -name '*.slow.test.ts' "${slow[@]}" \) | sort)
fi

# Some 5 GB from PyPI, once; whoever has torch names its Python.
install_torch() {
  [ -n "${RERANKER_PYTHON:-}" ] || scripts/python-env.sh || true
}

install_packages
install_slurm
install_chromium
case " ${files[*]}" in *" test/sidecar/"*) install_torch ;; esac
npm run --silent build
style=0
scripts/check.sh || style=$?

use_project_node
tests=0
# Two at a time even on one core: most tests wait for processes of their own.
cores=$(nproc)
node --test --test-reporter=spec --test-concurrency=$((cores < 2 ? 2 : cores > 4 ? 4 : cores)) \
  --test-timeout=300000 "${files[@]}" || tests=$?
exit $((tests != 0 ? tests : style))
