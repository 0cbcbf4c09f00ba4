"""`python -m stvit_video.doctor data=folder data.root=my_videos`: scan a data set before training on it.

Writes report.csv, duplicates.csv and quarantine.csv, which training honours (data.quarantine=...). The exit status is 1
where the annotations have a fault, because no training starts with them. A broken file is no such fault: quarantine
leaves it out.
`python -m stvit_video.doctor env` says instead which libraries import here, and why not; it needs none of them itself.
"""

import multiprocessing
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stvit_video.utils.command_line import Command
from stvit_video.utils.environment import describe_environment
from stvit_video.utils.exit_status import FAILED, exit_status, take_debug

if TYPE_CHECKING:
    from omegaconf import DictConfig

COMMAND = Command(
    prog="python -m stvit_video.doctor",
    summary="Scan a data set before training on it: faults, duplicates, and what preparing would gain.",
    examples=(
        "python -m stvit_video.doctor data=folder data.root=my_videos",
        "python -m stvit_video.doctor data=csv data.train=train.csv parts=[train]",
        "python -m stvit_video.doctor env",
    ),
    notes="env says which libraries import here, and why not.",
)


def scan(config: "DictConfig") -> None:
    """The config as plain values goes to `scan_data`."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from stvit_video.config.hydra_app import end_job
    from stvit_video.runs.data_scan import scan_data
    from stvit_video.utils.executor import ProcessStartError

    # the processes that read are copies of one that has imported this, so that a new one starts in no time
    multiprocessing.set_forkserver_preload(["stvit_video.factories.data", "stvit_video.data.curation.transcode"])
    try:
        values: Any = OmegaConf.to_container(config, resolve=True)
        examination = scan_data(values, output_dir=Path(HydraConfig.get().runtime.output_dir))
    except (ValueError, OSError, ProcessStartError) as error:
        end_job(error)
    if examination.list_faults:  # they are printed
        sys.exit(FAILED)


def main() -> None:
    """Hydra's entry, which gets unknown settings, too, and tells of them with the others."""
    import hydra

    from stvit_video.config.nodes import register_nodes
    from stvit_video.config.unknown_keys import mark_unknown
    from stvit_video.settings.paths import CONF_DIR

    register_nodes()
    sys.argv[1:] = mark_unknown(sys.argv[1:], config_name="doctor")
    hydra.main(version_base="1.3", config_path=CONF_DIR, config_name="doctor")(scan)()


def start() -> None:
    """Run `main` as every command of Hydra's is run."""
    from stvit_video.config.hydra_app import run_command

    run_command(main, COMMAND, config_name="doctor")


def main_environment() -> int:
    """Print a line for each library; the exit code is 0 when training can run here."""
    lines, can_train = describe_environment()
    print("\n".join(lines))
    return 0 if can_train else 1


if __name__ == "__main__":
    words, debug = take_debug(sys.argv[1:])
    if words == ["env"]:
        sys.exit(exit_status(main_environment, debug=debug))
    start()
