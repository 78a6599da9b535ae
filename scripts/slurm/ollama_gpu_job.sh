#!/bin/bash
# The old name of sbatch/ollama_service.sbatch, with the resources that it used to ask for.
#SBATCH --job-name=ollama
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --gres=gpu:1
#SBATCH --time=24:00:00
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --signal=B:USR2@120
trap '' USR2
exec bash "${RAG_HOME:-${SLURM_SUBMIT_DIR:-$(dirname "${BASH_SOURCE[0]}")/../..}}/sbatch/ollama_service.sbatch" "$@"
