# shellcheck shell=bash
# Sourced by the other scripts. Goes to the checkout, whatever the caller's folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Installs what package-lock.json says. A stamp makes the second time cost nothing.
# Not `npm ci`: it refuses a lock that lacks the optional packages of other platforms. --no-save leaves the lock alone.
install_packages() {
  local stamp=node_modules/.lock-installed
  if cmp -s package-lock.json "$stamp"; then return; fi
  npm install --no-save --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
}

# npm links the Node that it installed for this platform there; where it has none, the system's must do.
use_project_node() {
  PATH=$PWD/node_modules/.bin:$PATH
}
