#!/bin/bash
# A training on a SLURM cluster: a task for each GPU, on as many machines as --nodes says. Change the #SBATCH lines, or
# give such options to sbatch; what comes behind the script goes to stvit_video.train.
#
#   sbatch --nodes 4 scripts/slurm.sh run=k400 +experiment=k400 data.root=/data/k400 init_from=deit_small.pth
#
# A job that is pre-empted or runs out of time saves where it is, is queued again, and goes on: its folder is outputs/<run>.
#SBATCH --job-name=stvit-video
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=12
#SBATCH --time=24:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

if [[ -z "${SLURM_JOB_ID:-}" ]]; then
  echo "error: start this by sbatch, not by bash; without SLURM use torchrun -m stvit_video.train trainer=ddp" >&2
  exit 2
fi
if [[ " $* " != *" run="* ]]; then
  echo "error: give the run a name, run=my_run, by which it goes on after it was queued again" >&2
  exit 2
fi
srun python -m stvit_video.train trainer=slurm "$@"
