"""Trainings one after the other, in each of the processes that torchrun started; used by test_scale.py.

torchrun --nproc_per_node 2 scale_worker.py FOLDER: FOLDER/trainings.json is {name: settings}; run folders are
FOLDER/<name>.
"""

import json
import sys
from pathlib import Path

from stvit_video.train import train


def main(folder: Path) -> None:
    for name, settings in json.loads((folder / "trainings.json").read_text()).items():
        train(settings, run_dir=folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
