"""`python -m stvit_video.export_run RUN [out=FOLDER] [checkpoint=best|last]`: a run as a folder to hand on.

The folder holds the weights as safetensors, config.yaml, labels.json, result.json and a model card (README.md);
predict, evaluate, init_from and `stvit_video.load` take it like a checkpoint, and of a classifier
`create_model(name, pretrained=FOLDER)`.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from stvit_video.evaluation.cost.measure import count_parameters
from stvit_video.models.checkpoints.files import EXPORTED, write_safetensors
from stvit_video.tasks.task_list import task_of_checkpoint
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.value_kinds import PATH, one_of

CHECKPOINTS = ("best", "last")
COMMAND = Command(
    prog="python -m stvit_video.export_run",
    summary="A run as a folder to hand on: weights, configuration, labels, result and a model card.",
    positional=Positional(name="run_dir", sign="RUN", help="folder of a training"),
    settings=(
        Setting(name="out", kind=PATH, help="folder to make", default_words="RUN/export"),
        Setting(
            name="checkpoint",
            kind=one_of(CHECKPOINTS),
            help="whose weights",
            default_words="the one that was evaluated",
        ),
    ),
    examples=(
        "python -m stvit_video.export_run outputs/k400",
        "python -m stvit_video.export_run outputs/k400 out=k400_small checkpoint=last",
    ),
)


def export_run(run_dir: Path, *, out: Path | None = None, checkpoint: str | None = None) -> Path:
    """Make the folder.

    The weights are those that were evaluated: of a training with an average of its weights, the average.

    Args:
        run_dir: folder of a training.
        out: the folder to make; None = run_dir/export.
        checkpoint: "best" or "last"; None = the one that result.json is about, without one the best.

    Returns:
        The folder.

    Raises:
        ValueError: no folder of a run, a checkpoint of it can't be read (CheckpointError), or `out` holds files.
        OSError: a file can't be written.
    """
    out = run_dir / "export" if out is None else out
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ValueError(f"{out} is there already; remove it, or give another folder as out=FOLDER")
    result = _read_result(run_dir)
    chosen = checkpoint or (result or {}).get("checkpoint") or "best"
    file = run_dir / f"{chosen}.ckpt"
    if not file.is_file():
        there = [name for name in CHECKPOINTS if (run_dir / f"{name}.ckpt").is_file()]
        way = f"use checkpoint={there[0]}" if there else "give the folder of a run of stvit_video.train"
        raise ValueError(f"there is no {file}; {way}")
    if result is not None and result.get("checkpoint") != chosen:
        result = None  # its numbers are another checkpoint's
    _write_whole(out, file, result=result, chosen=chosen)
    return out


def _read_result(run_dir: Path) -> dict[str, Any] | None:
    """result.json of a run; None where it ended before its evaluation."""
    path = run_dir / "result.json"
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); remove it to export the run without its numbers") from error


def _write_whole(out: Path, file: Path, *, result: dict[str, Any] | None, chosen: str) -> None:
    """Write the folder beside its place, and put it there once it is whole."""
    task = task_of_checkpoint(str(file))
    model, metadata = task.load(file)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as part:
        folder = Path(part, "whole")
        folder.mkdir()
        write_safetensors(folder / EXPORTED, model.state_dict(), metadata=metadata)
        config = OmegaConf.to_yaml(OmegaConf.create(metadata["config"]))
        (folder / "config.yaml").write_text(config, encoding="utf-8")
        labels = json.dumps(metadata["classes"], indent=2, ensure_ascii=False)
        (folder / "labels.json").write_text(labels + "\n", encoding="utf-8")
        if result is not None:
            (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        card = task.card(metadata, result=result, checkpoint=chosen, num_parameters=count_parameters(model))
        (folder / "README.md").write_text(card, encoding="utf-8")
        if out.is_dir():
            out.rmdir()  # empty, or it would have been refused
        shutil.move(folder, out)


def print_export(given: Given) -> None:
    """Export, and print where the folder is.

    Raises:
        ValueError: what `export_run` raises.
        OSError: a file can't be written.
    """
    out = export_run(given.run_dir, out=given.out, checkpoint=given.checkpoint)
    print(f"{', '.join(sorted(path.name for path in out.iterdir()))} are in {out}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Export; gives the exit status."""
    return COMMAND.run(print_export, arguments)


if __name__ == "__main__":
    sys.exit(main())
