#!/usr/bin/env bash
# Measures the program against its figures; each benchmark writes its own section of bench/RESULTS.md.
#
#   bench/run.sh                      all, about eight minutes
#   bench/run.sh ingest               those of the ingest
#   bench/run.sh dashboard            how soon it is seen, in a real browser
#   bench/run.sh retrieval            10k and 100k passages, four minutes (also: npm run bench -- retrieval)
#   bench/run.sh NAME [ARGUMENT...]   one, e.g. ingest-cpu, or: quality FOLDER...
# shellcheck source=scripts/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/project.sh"

ingest="ingest-efficiency ingest-cpu ingest-loop ingest-instances ingest-pdf ingest-again memory"
all="$ingest gateway private-network sidecar-frames retrieve start"

install_packages
npm run --silent build
use_project_node

if [ "${1:-}" = ingest ]; then
  for name in $ingest; do node "bench/$name.ts"; done
  exit
fi
if [ $# -gt 0 ]; then
  name=$1 && shift
  if [ "$name" = retrieval ]; then name=retrieve; fi
  exec node "bench/$name.ts" "$@"
fi
! scripts/python-env.sh || all="$all length-sorting"
for name in $all; do node "bench/$name.ts"; done
if command -v chromium >/dev/null; then node bench/dashboard.ts; else echo 'Left out: bench/run.sh dashboard (it needs: apt-get install chromium)'; fi
echo 'Left out: bench/run.sh citations COLLECTION... (documents.jsonl, queries.jsonl with long_answer, as PubMedQA)'
echo 'Left out: bench/run.sh open-500k (half a million passages, some six minutes)'
echo 'Left out: bench/run.sh real-corpus FOLDER (any folder of documents)'
echo 'Left out: bench/run.sh quality FOLDER... (it needs a collection with documents.jsonl, queries.jsonl and qrels.tsv)'
