"""Trainings in each of the processes that torchrun started, with losses made NaN; used by test_train_machinery.py.

torchrun --nproc_per_node 2 machinery_worker.py FOLDER: FOLDER/settings.json is of a training of one epoch. Run folders
are FOLDER/skipped and FOLDER/stopped; FOLDER/rank<i>.json tells what process i has seen of them.
"""

import json
import os
import sys
from pathlib import Path

from stvit_video.models.base import TokenModel
from stvit_video.train import train
from stvit_video.training.objective import SingleLabel
from stvit_video.training.task_module import TrainingStoppedError

RANK = int(os.environ["RANK"])
BAD_STEP = 1


def main(folder: Path) -> None:
    settings = json.loads((folder / "settings.json").read_text())
    counts, places, losses = [], [], []
    plain_draw, plain_loss = TokenModel.draw_tokens, SingleLabel.loss

    def draw(self, *, generator=None):
        plain_draw(self, generator=generator)
        if self.training:
            counts.append(self.reducers()[0].token_grid.count)
            places.append([kind for _, kind in self.order].index("semantic"))

    def loss(self, logits, labels, mix):
        losses.append(plain_loss(self, logits, labels, mix))
        bad = RANK == 1 and len(losses) - 1 == BAD_STEP
        return losses[-1] * (float("nan") if bad else 1.0)

    TokenModel.draw_tokens, SingleLabel.loss = draw, loss
    train(settings, run_dir=folder / "skipped")
    seen = {"counts": list(counts), "places": list(places), "num_losses": len(losses)}
    losses.clear()
    try:
        train(settings | {"trainer": settings["trainer"] | {"max_nonfinite_steps": 1}}, run_dir=folder / "stopped")
    except TrainingStoppedError as error:
        seen["error"] = str(error)
    (folder / f"rank{RANK}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
