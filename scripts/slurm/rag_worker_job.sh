#!/bin/bash
# The old name of sbatch/rag_worker.sbatch. Without words of its own it ingests RAG_INPUT_FILE, as it used to.
#SBATCH --job-name=rag-worker
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR2@120
trap '' USR2
if [ $# -eq 0 ]; then set -- --mode ingest; fi
exec bash "${RAG_HOME:-${SLURM_SUBMIT_DIR:-$(dirname "${BASH_SOURCE[0]}")/../..}}/sbatch/rag_worker.sbatch" "$@"
