# Sourced by the batch scripts of this folder, which have set `home` to the checkout: leaves `node` and `supervisor`.
# Not for use on its own. Nothing slow stands here: the wall-time warning must find the supervisor.
set -euo pipefail
umask 077
# For steps inside the job: after `sbatch --export=NONE` srun finds no program, and since 22.05 it ignores -c. In a
# heterogeneous job Slurm says nothing here, and srun takes each component's own.
export SLURM_EXPORT_ENV=ALL
# Handed on by sbatch from a step that it was called in: this is the batch script, and no task of a step.
unset SLURM_STEP_ID SLURM_STEPID SLURM_STEP_NUM_TASKS SLURM_STEP_NUM_NODES SLURM_STEP_NODELIST SLURM_STEP_TASKS_PER_NODE
if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi

. "$home/scripts/find-node.sh"

# Empty after `sbatch --export=NONE` on some sites; without it ~ is what the system knows of the user.
if [ -z "${HOME:-}" ]; then
  unset HOME
  export HOME=~
fi
setup=${RAG_SETUP_SCRIPT:-$HOME/setup/ollama.sh}
if [ -r "$setup" ]; then
  set +eu # module and conda scripts use unset variables, and fail in places that do not matter
  job_words=("$@")
  set -- # the words of the job are none of the script's: `activate` of conda would take them for its own
  # shellcheck disable=SC1090
  . "$setup"
  set -- ${job_words[@]+"${job_words[@]}"} # bash before 4.4 calls an empty list unset
  set -eu
elif [ -n "${RAG_SETUP_SCRIPT:-}" ]; then
  refuse "Cannot source RAG_SETUP_SCRIPT: $setup cannot be read, a shell script is wanted"
fi

find_node # after the setup script: it may set RAG_NODE
# shellcheck disable=SC2034 # the script that sources this one uses it
supervisor=$home/dist/supervisor.js
