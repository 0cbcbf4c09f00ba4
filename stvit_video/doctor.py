"""`python -m stvit_video.doctor data=folder data.root=my_videos`: scan a data set before training on it.

Writes report.csv, duplicates.csv and quarantine.csv, which training honours (data.quarantine=...).
`python -m stvit_video.doctor env` says instead which libraries import here, and why not.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from stvit_video.config.hydra_app import run_command
from stvit_video.data.curation.examine import Examination, describe, examine, write_examination
from stvit_video.data.curation.transcode import Encoding
from stvit_video.data.curation.transcode_gain import measure_gain
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.factories.manifests import build_manifest
from stvit_video.settings.paths import CONF_DIR
from stvit_video.utils.environment import describe_environment

PARTS = ("train", "val")


def doctor(settings: Mapping[str, Any], *, output_dir: Path) -> Examination:
    """Scan the listed videos, write the tables, print what was found and what preparing would gain.

    Args:
        settings: the resolved configuration (conf/doctor.yaml) as plain values.
        output_dir: where the tables go.

    Raises:
        ValueError: ManifestError, or a setting out of range.
        OSError: a table can't be written.
    """
    data, encoding = settings["data"], Encoding(short_side=settings["short_side"], gop=settings["gop"])
    clip = {"num_frames": data["num_frames"], "frame_stride": data["frame_stride"]}
    num_measured, limit = settings["num_measured"], settings["time_limit_seconds"]
    if not isinstance(num_measured, int) or num_measured < 0:
        raise ValueError(f"num_measured={num_measured!r} must be a whole number of at least 0")
    examination = examine(
        list_parts(data, settings["parts"]),
        num_workers=settings["num_workers"] or os.cpu_count() or 1,
        time_limit_seconds=limit,
        frames=settings["frames"],
        max_distance_bits=settings["max_distance_bits"],
        **clip,
    )
    write_examination(examination, output_dir)
    print("\n".join(describe(examination)))
    good = [path for path, report in examination.reports.items() if not report.faults and os.path.isfile(path)]
    if num_measured and good and data["source"] != "image_folder":  # pictures are as quick as they get
        sample = good[:: max(1, len(good) // num_measured)][:num_measured]  # spread over the list
        print(measure_gain(sample, encoding=encoding, time_limit_seconds=limit, **clip).sentence())
    print(f"report.csv, duplicates.csv and quarantine.csv are in {output_dir}")
    if examination.quarantined:
        print(f"train without the bad ones: data.quarantine={output_dir / 'quarantine.csv'}")
    return examination


def list_parts(data: Mapping[str, Any], parts: Any) -> dict[str, Manifest]:
    """The listed videos of each part; those that Kinetics lists and that are not there stay in, as faults.

    Args:
        data: the `data` group of the configuration.
        parts: ["train"], ["val"] or both.

    Raises:
        ValueError: ManifestError, or `parts` is something else.
    """
    if not isinstance(parts, list) or not parts or not set(parts) <= set(PARTS) or len(set(parts)) < len(parts):
        raise ValueError(f"parts={parts!r} is not possible; give [train,val], [train] or [val]")
    if data["source"] == "csv" and "val" in parts and not (data.get("val") or data.get("fold_column")):
        raise ValueError("there is no data.val to scan; give data.val=val.csv, or parts=[train]")
    return {part: build_manifest({**data, "missing": "keep", "quarantine": None}, part) for part in parts}


@hydra.main(version_base="1.3", config_path=CONF_DIR, config_name="doctor")
def main(config: DictConfig) -> None:
    """Hydra's entry: the config as plain values goes to `doctor`."""
    # the processes that read are copies of one that has imported this, so that a new one starts in no time
    multiprocessing.set_forkserver_preload(["stvit_video.factories.data", "stvit_video.data.curation.transcode"])
    try:
        settings: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        doctor(settings, output_dir=Path(HydraConfig.get().runtime.output_dir))
    except MissingMandatoryValue as error:
        sys.exit(f"error: {error.full_key} is missing; give {error.full_key}=VALUE")
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def main_environment() -> int:
    """Print a line for each library; the exit code is 0 when training can run here."""
    lines, can_train = describe_environment()
    print("\n".join(lines))
    return 0 if can_train else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["env"]:
        sys.exit(main_environment())
    run_command(main)
