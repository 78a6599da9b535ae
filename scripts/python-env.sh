#!/usr/bin/env bash
# Makes .venv-sidecar, the Python in which the reranker and the encoders are tested: torch and transformers from PyPI,
# and an older transformers beside them. 5.5 GB on disk (torch brings CUDA along), one minute where the network is fast.
#
#   scripts/python-env.sh        PYTHON=python3.12 chooses the Python (3.10 to 3.14), RAG_PYTHON_ENV_SECONDS the patience
#
# A job does not need it: RERANKER_PYTHON names any Python that has torch and transformers.
# shellcheck source=scripts/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

folder=.venv-sidecar
packages="torch==2.15.0 transformers==5.23.0"
# With those of its needs that the new one has in another version, or not.
older="transformers==4.57.6 huggingface-hub==0.36.2 tokenizers==0.22.2 requests charset-normalizer urllib3 certifi"
seconds=${RAG_PYTHON_ENV_SECONDS:-240}
free_needed_kib=$((12 << 20)) # the wheels, unpacked beside themselves

leave() {
  echo "Left out: the tests with real models. $1"
  rm -rf "$folder.new"
  exit 1
}

stamp="$packages $older"
[ "$(cat "$folder/.installed" 2>/dev/null)" != "$stamp" ] || exit 0

python=${PYTHON:-python3}
"$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' 2>/dev/null ||
  leave "They need Python 3.10 to 3.14 with venv: PYTHON=/path/to/python3 scripts/python-env.sh"
free_kib=$(df -Pk . | awk 'NR == 2 { print $4 }')
[ "$free_kib" -ge "$free_needed_kib" ] || leave "They need 12 GB of disk for torch; there are $((free_kib >> 20)) GB."

rm -rf "$folder.new"
"$python" -m venv "$folder.new"
# --no-compile: each start compiles what it imports once, the rest of 40,000 files never.
pip=(timeout "$seconds" "$folder.new/bin/pip" install --quiet --no-input --no-cache-dir --no-compile --only-binary=:all: --retries 1)
# shellcheck disable=SC2086
"${pip[@]}" $packages || leave "pip could not install $packages within $seconds s."
# shellcheck disable=SC2086
"${pip[@]}" --no-deps --target "$folder.new/transformers-4" $older || leave "pip could not install $older."
echo "$stamp" >"$folder.new/.installed"
rm -rf "$folder"
mv "$folder.new" "$folder" # bin/python is a link, and nothing else in bin is used
