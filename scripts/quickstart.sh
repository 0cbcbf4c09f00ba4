#!/usr/bin/env bash
# From nothing to a trained and evaluated video classifier: makes .venv, installs, writes the embedded data set into
# data/, trains a small model on it (CPU is enough) and evaluates it.
#
#   bash scripts/quickstart.sh                           a second run goes on where the first has ended, and evaluates again
#   bash scripts/quickstart.sh trainer.max_epochs=3      arguments are Hydra overrides for the training
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/_venv.sh

run_dir=outputs/quickstart
prepare_venv "."

if [ -f "$run_dir/result.json" ] && [ $# -eq 0 ]; then
  echo "training is skipped: $run_dir/result.json is there; to train again: rm -r $run_dir"
else
  if [ -f "$run_dir/last.ckpt" ] && [ $# -eq 0 ]; then
    echo "the training in $run_dir goes on; to begin anew: rm -r $run_dir"
  elif [ -d "$run_dir" ]; then
    aside="$run_dir-before-$(date +%Y-%m-%d-%H%M%S)"
    echo "the old run in $run_dir is moved to $aside"
    mv "$run_dir" "$aside"
  fi
  .venv/bin/python -m stvit_video.train +experiment=quickstart hydra.run.dir="$run_dir" "$@"
fi
.venv/bin/python -m stvit_video.evaluate ckpt_path="$run_dir/last.ckpt" hydra.run.dir="$run_dir/evaluate"

echo
echo "training:    $run_dir (report.html, result.json, metrics.csv, best.ckpt, last.ckpt)"
echo "evaluation:  $run_dir/evaluate"
echo "curves:      .venv/bin/tensorboard --logdir $run_dir"
echo "a video:     .venv/bin/python -m stvit_video.predict ckpt_path=$run_dir/last.ckpt <video.mp4>"
echo "its tokens:  .venv/bin/python -m stvit_video.visualize ckpt_path=$run_dir/last.ckpt <video.mp4>"
