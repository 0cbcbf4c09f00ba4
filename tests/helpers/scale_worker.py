"""Trainings one after the other, in each of the processes that torchrun started; used by test_scale.py.

torchrun --nproc_per_node 2 scale_worker.py FOLDER [STEP]: FOLDER/trainings.json is {name: settings}; run folders are
FOLDER/<name>. With STEP the second process is killed before it trains that one.
"""

import json
import os
import signal
import sys
from pathlib import Path

from stvit_video.train import train
from stvit_video.training.module import ClassificationModule


def main(folder: Path, kill_at: int | None = None) -> None:
    plain_step = ClassificationModule.training_step

    def step(self, batch, batch_index):
        if self.global_step == kill_at and os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        return plain_step(self, batch, batch_index)

    if kill_at is not None:  # torchrun ends the other process, perhaps before that one has said what it has lost
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ClassificationModule.training_step = step
    for name, settings in json.loads((folder / "trainings.json").read_text()).items():
        train(settings, run_dir=folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
