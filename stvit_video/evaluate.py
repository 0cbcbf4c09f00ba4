"""`python -m stvit_video.evaluate ckpt_path=run/best.ckpt protocol=videoswin`: multi-view accuracy of a checkpoint.

By default on the validation data of the run that wrote it; data.source=... names others (conf/evaluate.yaml).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from stvit_video.config.hydra_app import end_job
from stvit_video.config.nodes import register_nodes
from stvit_video.evaluation.distributed import ProcessFailedError
from stvit_video.inference.scoring import USER_ERRORS
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.paths import CONF_DIR
from stvit_video.sweeps.launch import run_with_sweeps
from stvit_video.tasks.evaluation_settings import read_evaluation
from stvit_video.tasks.task_list import task_of_checkpoint
from stvit_video.utils.command_line import Command

COMMAND = Command(
    prog="python -m stvit_video.evaluate",
    summary="Multi-view accuracy of a checkpoint. -m evaluates with each combination of values.",
    examples=(
        "python -m stvit_video.evaluate ckpt_path=run/best.ckpt",
        "python -m stvit_video.evaluate ckpt_path=run/best.ckpt protocol=videoswin data.source=csv data.val=test.csv",
        "python -m stvit_video.evaluate ckpt_path=run/best.ckpt stream=true data.source=csv data.val=segments.csv",
        "python -m stvit_video.evaluate -m ckpt_path=run/last.ckpt model.num_tokens=8,16,32,64 model.generate_at=1,2,4",
    ),
)
register_nodes()


def evaluate(values: Mapping[str, Any], *, output_dir: Path) -> dict[str, Any]:
    """Evaluate a checkpoint as its task does.

    Args:
        values: the settings as plain values; one that is left out has its default.
        output_dir: where the files go; made if it is missing.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        ValueError: as `Task.evaluate`, see there for other errors.
    """
    try:
        task = task_of_checkpoint(values.get("ckpt_path"))
    except CheckpointError:
        read_evaluation(EvaluateSettings, values, known_kind=False)  # what no checkpoint takes is told before
        raise
    return task.evaluate(values, output_dir)


@hydra.main(version_base="1.3", config_path=CONF_DIR, config_name="evaluate")
def main(config: DictConfig) -> None:
    """Hydra's entry: the config's values become the arguments of `evaluate`."""
    output_dir = Path(HydraConfig.get().runtime.output_dir)
    try:
        values: Any = OmegaConf.to_container(config, resolve=True)
        values.pop("sweep")
        evaluate(values, output_dir=output_dir)
    except (*USER_ERRORS, ProcessFailedError) as error:
        end_job(error)


if __name__ == "__main__":
    run_with_sweeps(main, module="stvit_video.evaluate", config_name="evaluate", command=COMMAND)
