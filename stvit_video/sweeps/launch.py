"""`-m` of train and evaluate: every job of the sweep in processes of its own, with a table, limits and a way to go on.

Hydra's own `-m` starts each process of a job with several as a sweep of its own, and ends at a job that fails. Where a
user chooses one of Hydra's launchers or sweepers, such as hydra/launcher=submitit_slurm, all is left to Hydra.
"""

import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from stvit_video.config.hydra_app import run_command
from stvit_video.config.unknown_keys import mark_unknown, unknown_overrides, with_layout_settings
from stvit_video.settings.paths import CONF_DIR
from stvit_video.sweeps.expand import Overrides, expand, expand_extra, parse_axes
from stvit_video.sweeps.folder import check_origin, find_unfinished, named_folder, sweep_lock, write_origin
from stvit_video.sweeps.jobs import JOBS_FILE, Job, JobTable, SweepError, read_jobs, resume_jobs
from stvit_video.sweeps.runner import JobLaunch, Limits, SweepRunner
from stvit_video.sweeps.settings import check_axes, check_flags, read_sweep, refuse_settings
from stvit_video.sweeps.start import job_launch, visible_gpus
from stvit_video.utils.command_line import Command
from stvit_video.utils.compat import parse_hydra_arguments, without_search_path
from stvit_video.utils.exit_status import DEBUG, take_debug

BASE = Path("multirun")


def run_with_sweeps(main: Callable[[], None], *, module: str, config_name: str, command: Command) -> None:
    """As `run_command`, but with `-m` the jobs are run by us, and without it `main` gets unknown settings, too.

    Args:
        main: a `hydra.main`.
        module: that holds it and is run for every job, "stvit_video.train".
        config_name: of its configuration.
        command: for --help.
    """
    flags = (DEBUG,) if take_debug(sys.argv[1:])[1] else ()

    def sweep_or_main() -> None:
        status = launch_sweep(sys.argv[1:], module=module, config_name=config_name, job_flags=flags)
        if status is None:
            sys.argv[1:] = mark_unknown(sys.argv[1:], config_name=config_name)
            main()
        elif status:
            sys.exit(status)

    run_command(sweep_or_main, command, config_name=config_name)


def launch_sweep(
    arguments: Sequence[str], *, module: str, config_name: str, job_flags: Sequence[str] = ()
) -> int | None:
    """Run the sweep that the command line asks for.

    Args:
        arguments: of the command line.
        module: that is run for every job.
        config_name: of its configuration.
        job_flags: switches for every job.

    Returns:
        0 = every job is done, 1 = some are not, 128 + n = signal n stopped it; None = it asks for no sweep, or for one
        that is Hydra's business.

    Raises:
        ValueError: settings of the sweep that can't be used, or another sweep in its folder.
        HydraException: overrides that can't be parsed, or not one job whose configuration can be made.
        OSError: its folder can't be written.
    """
    flags = parse_hydra_arguments(arguments)
    if not flags.multirun or flags.help or flags.hydra_help or flags.cfg or flags.info or flags.shell_completion:
        refuse_settings(flags.overrides, "is about several jobs; add -m, or leave it out")
        return None
    check_flags(flags)
    with initialize_config_dir(CONF_DIR, version_base="1.3", job_name=module.rpartition(".")[2]):
        sweep = _Sweep(flags.overrides, module=module, config_name=config_name, other_config=flags.config_name)
        sweep.flags += job_flags
        if sweep.is_hydras:
            refuse_settings(
                flags.overrides, "is for jobs that are not run by one of Hydra's launchers or sweepers; leave it out"
            )
            return None
        return sweep.run(shlex.join(arguments))


class _Sweep:
    """What one command line with `-m` asks for; Hydra's configuration is open while it is at work."""

    def __init__(self, overrides: Sequence[str], *, module: str, config_name: str, other_config: str | None) -> None:
        self.module, self.config_name = module, other_config or config_name
        self.flags = ["--config-name", other_config] if other_config else []
        self.parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
        own = [text for text in overrides if text.startswith("sweep.")]
        axes = parse_axes(self.parser.parse_overrides([text for text in overrides if text not in own]))
        check_axes(axes, module=module)
        self.folder_given = "hydra.sweep.dir" in axes
        for key in [key for key in axes if key.lstrip("+~").startswith(("hydra.sweep.", "hydra.sweeper."))]:
            own += axes.pop(key)
        config = self._first_config(expand(axes), own)
        choices = config.hydra.runtime.choices
        self.is_hydras = any(key in axes or choices[key] != "basic" for key in ("hydra/launcher", "hydra/sweeper"))
        self.default_folder = Path(config.hydra.sweep.dir)
        values: Any = OmegaConf.to_container(config.sweep, resolve=False)
        rest: Any = {key: config.sweep[key] for key in values if key != "also"}
        self.settings = read_sweep({**values, **rest})  # ${seed} in `also` is of each job
        params = config.hydra.sweeper.get("params") or {}
        given = parse_axes(self.parser.parse_overrides([f"{key}={value}" for key, value in params.items()]))
        self.axes = {**given, **axes}

    def jobs(self) -> list[Overrides]:
        """The overrides of every job, each once; the extra ones last."""
        found = expand(self.axes)
        for extra in self.settings.extras:
            found += expand_extra(self.axes, extra, parser=self.parser)
        return list(dict.fromkeys(found))

    def run(self, command: str) -> int:
        """Choose the folder, run the jobs that are to be run; see `launch_sweep`."""
        jobs = self.jobs()
        origin = {"module": self.module, "settings": self._digest(jobs), "command": command}
        folder = self._choose_folder(jobs, origin)
        folder.mkdir(parents=True, exist_ok=True)
        with sweep_lock(folder):
            old = read_jobs(folder / JOBS_FILE) if (folder / JOBS_FILE).is_file() else []
            if old:
                check_origin(folder, {**origin, "settings": self._digest([job.overrides for job in old])})
            table_jobs = resume_jobs(old, jobs, folder)
            write_origin(folder, origin | {"settings": self._digest([job.overrides for job in table_jobs])})
            table = JobTable(folder / JOBS_FILE, table_jobs)
            self._tell(_opening(folder, table.jobs, num_parallel=self.settings.num_parallel))
            stopped_by = self._runner(table).run()
            return self._close(folder, table.jobs, stopped_by)

    def _runner(self, table: JobTable) -> SweepRunner:
        minutes = self.settings.time_limit_minutes
        limits = Limits(
            num_parallel=self.settings.num_parallel,
            time_limit_seconds=None if minutes is None else minutes * 60,
            grace_seconds=self.settings.grace_seconds,
        )
        return SweepRunner(table, self._start, limits=limits, tell=self._tell)

    def _choose_folder(self, jobs: Sequence[Overrides], origin: dict[str, str]) -> Path:
        if self.settings.name is not None:
            if self.folder_given:
                raise SweepError("sweep.name and hydra.sweep.dir both say where the sweep lies; give one of them")
            return named_folder(BASE, self.settings.name)
        if self.folder_given:
            return self.default_folder
        return find_unfinished(BASE, origin=origin, jobs=set(jobs)) or self.default_folder

    def _start(self, job: Job, place: int) -> JobLaunch:
        try:
            config = self._compose(job.overrides)
            settings: Any = OmegaConf.to_container(config, resolve=False)
            if "trainer" in settings:
                settings["trainer"] = OmegaConf.to_container(config.trainer, resolve=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise SweepError(_one_line(error)) from error
        return job_launch(
            job.overrides,
            module=self.module,
            settings=settings,
            run_dir=Path(job.run_dir),
            place=place,
            num_parallel=self.settings.num_parallel,
            gpus=visible_gpus(torch.cuda.device_count()),
            flags=self.flags,
        )

    def _first_config(self, jobs: Sequence[Overrides], common: Sequence[str]) -> DictConfig:
        """Of the first job that has a configuration: a wrong name in all of them ends the sweep before it starts."""
        faults = []
        for job in jobs:
            try:
                return self._compose((*common, *job))
            except HydraException as error:
                faults.append(error)
        first = with_layout_settings(jobs[0], config_name=self.config_name)
        if unknown := unknown_overrides(first, config_name=self.config_name):
            raise SweepError("; ".join(unknown)) from faults[0]
        raise faults[0]

    def _compose(self, overrides: Overrides) -> DictConfig:
        given = with_layout_settings(overrides, config_name=self.config_name)
        return compose(self.config_name, overrides=given, return_hydra_config=True)

    def _digest(self, jobs: Sequence[Overrides]) -> str:
        """Of the configuration of the first job that has one, without what is about the sweep itself."""
        content: Any = OmegaConf.to_container(self._first_config(jobs, ()), resolve=False)
        text = json.dumps({k: v for k, v in content.items() if k not in ("hydra", "sweep")}, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _close(self, folder: Path, jobs: Sequence[Job], stopped_by: int) -> int:
        counts = ", ".join(f"{sum(job.state == s for job in jobs)} {s}" for s in dict.fromkeys(j.state for j in jobs))
        done = all(job.state == "done" for job in jobs)
        again = "" if done else "; the same command again runs those that are not done"
        some = any(job.state == "done" for job in jobs)
        drawn = f"; python -m stvit_video.sweep {folder} draws the results" if some else ""
        self._tell(f"sweep {folder}: {counts}{again}{drawn}")
        return 128 + stopped_by if stopped_by else int(not done)

    @staticmethod
    def _tell(line: str) -> None:
        print(line, flush=True)


def _opening(folder: Path, jobs: Sequence[Job], *, num_parallel: int) -> str:
    done = sum(job.state == "done" for job in jobs)
    how = "one after the other" if num_parallel == 1 else f"{num_parallel} at once"
    before = f"{done} done before, " if done else ""
    return f"sweep {folder}: {before}{len(jobs) - done} jobs to run, {how}; {folder / JOBS_FILE} tells of each"


def _one_line(error: Exception) -> str:
    parts = [str(error), *([str(error.__cause__)] if error.__cause__ else [])]
    return " ".join(" ".join(without_search_path(part) for part in parts).split())
