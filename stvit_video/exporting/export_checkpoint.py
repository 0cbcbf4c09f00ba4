"""A checkpoint as a folder to hand on: weights, configuration, labels, result and a model card.

The folder holds the weights as safetensors, config.yaml, labels.json, result.json and a model card (README.md);
predict, evaluate, init_from and `stvit_video.load` take it like a checkpoint, and of a classifier
`create_model(name, pretrained=FOLDER)`.
"""

import json
from pathlib import Path

from omegaconf import OmegaConf

from stvit_video.evaluation.cost.measure import count_parameters
from stvit_video.exporting.run_files import RESULT, RunFile, find_run_file
from stvit_video.models.checkpoints.files import EXPORTED, write_safetensors
from stvit_video.tasks.task_list import task_of_checkpoint
from stvit_video.utils.whole_folders import refuse_used, whole_folder


def export_run(run_dir: Path, *, out: Path | None = None, checkpoint: str | None = None) -> Path:
    """Make the folder of a run.

    The weights are those that were evaluated: of a training with an average of its weights, the average.

    Args:
        run_dir: folder of a training.
        out: the folder to make; None = run_dir/export.
        checkpoint: "best" or "last"; None = the one that result.json is about, without one the best.

    Returns:
        The folder.

    Raises:
        ValueError: no folder of a run, a checkpoint of it can't be read (CheckpointError), or `out` holds files.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    refuse_used(run_dir / "export" if out is None else out)
    return export_checkpoint(find_run_file(run_dir, checkpoint=checkpoint, has_choice=True), out=out)


def export_checkpoint(given: RunFile, *, out: Path | None = None) -> Path:
    """Make the folder of one checkpoint.

    Args:
        given: the checkpoint.
        out: the folder to make; None = `export` in the folder of its run.

    Returns:
        The folder.

    Raises:
        ValueError: an exported folder, a checkpoint that can't be read (CheckpointError), or `out` holds files.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    if given.is_exported:
        raise ValueError(
            f"{given.path} is an exported folder already; copy it, or give the folder of a run or a .ckpt file"
        )
    out = given.folder / "export" if out is None else out
    refuse_used(out)
    task = task_of_checkpoint(str(given.path))
    model, metadata = task.load(given.path)
    result = given.result
    with whole_folder(out) as folder:
        write_safetensors(folder / EXPORTED, model.state_dict(), metadata=metadata)
        config = OmegaConf.to_yaml(OmegaConf.create(metadata["config"]))
        (folder / "config.yaml").write_text(config, encoding="utf-8")
        labels = json.dumps(metadata["classes"], indent=2, ensure_ascii=False)
        (folder / "labels.json").write_text(labels + "\n", encoding="utf-8")
        if result is not None:
            (folder / RESULT).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        card = task.card(metadata, result=result, checkpoint=given.path.stem, num_parameters=count_parameters(model))
        (folder / "README.md").write_text(card, encoding="utf-8")
    return out
