"""Start a command that Hydra configures: quote its arguments, show its help, and end it as every command ends."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import NoReturn

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, InterpolationKeyError

from stvit_video.config.quoting import unreadable_overrides
from stvit_video.config.unknown_keys import known_settings
from stvit_video.config.unused_folder import remove_if_unused
from stvit_video.utils.command_line import Command, asks_for_help
from stvit_video.utils.compat import parse_hydra_arguments
from stvit_video.utils.exit_status import CommandEnd, exit_status, take_debug

LISTS = """how to list the settings (docs/settings.md describes each):
  {prog} --cfg job               all of them, as they are with the settings beside it
  {prog} --cfg job -p data       those of a group
  {prog} --hydra-help            Hydra's own switches
"""


class JobFailedError(HydraException):
    """A job of one of Hydra's own launchers failed; the others go on, for which it must be no `SystemExit`."""


def quote_patterns(arguments: Sequence[str]) -> list[str]:
    """Add the quotes that Hydra wants around braces, and around overrides inside a value, to command line arguments.

    For example of `data.shards=a/{000..099}.tar` and `sweep.also=model=video_deit_tiny`, which a shell has unquoted.
    """
    texts = [re.sub(r"^(data\.(?:shards|val_shards|val)=)([^'\"]*\{[^'\"]*)$", r'\1"\2"', text) for text in arguments]
    return [re.sub(r"^(sweep\.also=)([^'\"\[][^']*)$", r"\1'\2'", text) for text in texts]


def run_command(main: Callable[[], None], command: Command, *, config_name: str) -> None:
    """Run a `hydra.main`, and end the process with the status of `exit_status` unless that is 0.

    Args:
        main: it is called without arguments and reads the command line. It ends by `end_job` where it fails.
        command: for --help.
        config_name: of its configuration, whose settings its errors are told in.
    """
    arguments, debug = take_debug(sys.argv[1:])
    sys.argv[1:] = quote_patterns(arguments)
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises its errors and prints no traceback of its own
    status = exit_status(
        lambda: _run(main, command),
        debug=debug,
        failures=(JobFailedError,),
        wrong_settings=(ValueError, HydraException),
        settings=partial(known_settings, config_name),
    )
    if status:
        sys.exit(status)


def end_job(error: Exception) -> NoReturn:
    """Leave a `hydra.main` by an error, which `run_command` tells; a folder made for nothing is removed."""
    error = _plain(error)
    if HydraConfig.get().mode == RunMode.MULTIRUN:  # leaving the process would end the other jobs of the sweep
        raise JobFailedError(str(error)) from error
    remove_if_unused(Path(HydraConfig.get().runtime.output_dir))
    raise CommandEnd(error) from error


def _run(main: Callable[[], None], command: Command) -> None:
    flags = parse_hydra_arguments(sys.argv[1:])  # refuses unknown switches in one sentence
    if asks_for_help(sys.argv[1:]):
        print(f"{command.help_text()}\n\n{LISTS.format(prog=command.prog)}", flush=True)
    try:
        main()
    except JobFailedError:
        raise
    except ValueError as error:  # of Hydra: those of a job come by `end_job`
        if (unwritable := _unwritable(error)) is None:
            raise
        raise unwritable from error
    except HydraException as error:
        faults = unreadable_overrides(flags.overrides, multirun=flags.multirun)
        raise HydraException("; ".join(faults) or _sentence(error)) from error


def _plain(error: Exception) -> Exception:
    """An error that a user can mend, in one sentence: OmegaConf's of a reference to nothing has three lines."""
    named = re.search(r"Interpolation key '([^']+)' not found", str(error))
    if not isinstance(error, InterpolationKeyError) or named is None:
        return error
    name = named.group(1)
    told = ValueError(
        f"{error.full_key} refers to a setting {name}, which there is not; write ${{oc.env:{name}}} for a variable of "
        f"the environment, or \\${{{name}}} for the text itself"
    )
    told.__cause__ = error  # for --debug
    return told


def _unwritable(error: ValueError) -> OSError | None:
    """What lies behind Hydra's "Unable to configure handler": a folder where no log can be written; None = else."""
    cause = error.__cause__
    if not isinstance(cause, OSError) or cause.filename is None:
        return None
    return OSError(cause.errno, cause.strerror, str(Path(cause.filename).parent))


def _sentence(error: HydraException) -> str:
    """Hydra's message with its cause; of a setting that is unknown the closest one."""
    cause = error.__cause__
    if isinstance(cause, ConfigKeyError | ConfigAttributeError) and isinstance(cause.parent_node, DictConfig):
        key, known = str(cause.full_key), [str(name) for name in cause.parent_node if name != "hydra"]
        group, dot, name = key.rpartition(".")
        close = get_close_matches(name, known, n=1)
        way = f"did you mean {group}{dot}{close[0]}?" if close else f"the settings are {', '.join(known)}"
        return f"{key} is no setting; {way}"
    return f"{error}\n{cause}" if cause else str(error)
