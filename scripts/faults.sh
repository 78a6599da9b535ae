#!/usr/bin/env bash
# Does everything to the program that test/faults knows, in both containment modes, as root and as an ordinary user,
# kills 20 times over. Prints the table, writes bench/FAULTS.md, and fails when a row is red. About 20 minutes.
#
#   scripts/faults.sh [TIMES [FILE...]]     FILE: only these, and bench/FAULTS.md stays as it is
# shellcheck source=scripts/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

times=${1:-20}
files=("${@:2}")
table=bench/FAULTS.md
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
[ ${#files[@]} = 0 ] || table=$results/table.md
[ ${#files[@]} != 0 ] || files=(test/faults/*.test.ts)

install_packages
npm run --silent build
use_project_node
red=0
RAG_FAULTS_RESULTS=$results/rows RAG_FAULTS_TIMES=$times node --test --test-reporter=spec --test-concurrency=2 \
  --test-timeout=3600000 "${files[@]}" >"$results/said" 2>&1 || red=$?
node scripts/faults-table.ts "$results/rows" "$table" || red=$?
[ "$red" = 0 ] || sed -n '/failing tests:/,$p' "$results/said"
exit "$red"
