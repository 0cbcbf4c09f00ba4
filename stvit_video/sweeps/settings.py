"""What the `sweep` group of the configuration may be, and what a command line with `-m` can't ask for."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from stvit_video.settings.rules import COUNT, Rule
from stvit_video.sweeps.jobs import SweepError

RULES = {
    "name": Rule(str, optional=True),
    "num_parallel": COUNT,
    "time_limit_minutes": Rule(float, 0, above=True, optional=True),
    "grace_seconds": Rule(float, 0),
}
NOT_IN_SWEEPS = {
    "hydra.run.dir": "each job has a folder of its own; use sweep.name, or hydra.sweep.dir for the folder of all",
    "hydra.sweep.subdir": "the folders of the jobs are named by their numbers; leave it out",
    "hydra.sweeper.max_batch_size": "sweep.num_parallel says how many jobs run at once",
    "run": "it is the name of one training; use sweep.name",
}


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """The `sweep` group of the configuration, see conf/sweep/default.yaml.

    Raises:
        SweepError: lists every setting that is out of range.
    """

    name: str | None
    also: str | list[str]
    num_parallel: int
    time_limit_minutes: float | None
    grace_seconds: float

    def __post_init__(self) -> None:
        faults = [
            f"sweep.{key}={value!r} {rule.fault(value)}" for key, value, rule in self._ruled() if rule.fault(value)
        ]
        if not isinstance(self.also, str | list):
            faults.append(f"sweep.also={self.also!r} must be overrides in a text, or a list of such texts")
        if faults:
            raise SweepError("; ".join(faults))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "SweepSettings":
        """The settings as the configuration has them.

        Raises:
            SweepError: one is unknown, or out of range.
        """
        known = [field.name for field in fields(cls)]
        unknown = [key for key in values if key not in known]
        if unknown:
            raise SweepError(f"sweep.{unknown[0]} is unknown; a sweep has {', '.join(known)}")
        return cls(**values)

    def _ruled(self) -> list[tuple[str, Any, Rule]]:
        return [(key, getattr(self, key), rule) for key, rule in RULES.items()]

    @property
    def extras(self) -> list[str]:
        """The texts of `also`."""
        return [self.also] if isinstance(self.also, str) else list(self.also)


def refuse_settings(overrides: Sequence[str], words: str) -> None:
    """Raise where one of the overrides is a setting of our sweeps, which would have no effect.

    Args:
        overrides: of the command line.
        words: why it would have none, after the override.

    Raises:
        SweepError: there is one.
    """
    own = [text for text in overrides if text.lstrip("+").startswith("sweep.")]
    if own:
        raise SweepError(f"{own[0]} {words}")


def check_flags(flags: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Raise where the command line, or whoever started this process, asks for what a sweep can't be.

    Args:
        flags: Hydra's, as its parser gives them.
        environ: the environment variables.

    Raises:
        SweepError: a folder of configurations, or several processes.
    """
    if flags.config_dir or flags.config_path:
        raise SweepError(
            "-m takes no --config-dir and no --config-path; give hydra.searchpath=[file:///path/to/conf] instead"
        )
    number = max(int(environ.get(name, "1")) for name in ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS"))
    if number > 1:
        raise SweepError(
            f"-m was started as {number} processes, and each would run the whole sweep; start it as one, with python: "
            "it starts torchrun itself for jobs with trainer.devices above 1"
        )


def check_axes(axes: Iterable[str], *, module: str) -> None:
    """Raise where an override would put all jobs into one folder, or have no effect.

    Args:
        axes: keys of the overrides.
        module: that is run for every job.

    Raises:
        SweepError: one does.
    """
    refused = {**NOT_IN_SWEEPS}
    if module.endswith(".train"):
        refused["ckpt_path"] = "each job goes on from its own checkpoint by itself; use init_from for a common start"
    for key in axes:
        if key.lstrip("+~") in refused:
            raise SweepError(f"{key} has no place in a sweep: {refused[key.lstrip('+~')]}")
