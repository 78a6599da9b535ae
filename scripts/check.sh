#!/usr/bin/env bash
# Says yes or no to the style of the whole checkout: format, lint, types, dead code, layers, generated files.
# shellcheck source=scripts/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

install_packages
use_project_node
failed=0

# A check that passes is one line; one that fails shows what it said, and the others still run.
check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "ok      $name"
  else
    echo "FAILED  $name"
    echo "$said"
    failed=1
  fi
}

check "format" oxfmt --check .
check "lint" oxlint --type-aware
check "types" tsc -p tsconfig.test.json
check "types in the browser" tsc -p src/page/browser --noEmit
check "dead code" knip
check "layers" node --test test/architecture.test.ts
check "generated docs" node scripts/make-docs.ts --check
check "example corpus" node scripts/make-examples.ts --check
for script in bin/* scripts/*.sh sbatch/*; do check "syntax of $script" bash -n "$script"; done
exit "$failed"
