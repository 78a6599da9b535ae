#!/usr/bin/env bash
# Installs, builds, and answers a question about this project from its own documentation. No GPU, no model, no Slurm.
# shellcheck source=scripts/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

install_packages
npm run --silent build
exec node dist/supervisor.js
