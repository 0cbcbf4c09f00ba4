"""From the overrides of a sweep to those of its jobs: choices, ranges and globs, in the order of Hydra's sweeper."""

import itertools
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from stvit_video.sweeps.jobs import SweepError

Overrides = tuple[str, ...]
MODEL = "model"  # the extra jobs choose their own; every other axis of a sweep is theirs, too


def parse_axes(overrides: Sequence[Override]) -> dict[str, list[str]]:
    """Each key with its prefix ("+", "++", "~") and package, and the overrides that it goes through, one or several.

    The last word on a key counts, at the place of the first.

    Differs: Hydra's sweeper makes "~key=null" of "~key", which deletes a value of null only.

    Raises:
        HydraException: an interval, which has no end of values.
    """
    axes: dict[str, list[str]] = {}
    for override in overrides:
        key = override.get_key_element()
        if not override.is_sweep_override():
            axes[key] = [_with_value(override)]
        elif override.is_discrete_sweep():
            axes[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            raise HydraException(
                f"{override.input_line} has no end of values; use choices such as a=1,2,3, or a=range(1,9)"
            )
    empty = [key for key, values in axes.items() if not values]
    if empty:
        raise HydraException(f"{empty[0]} goes through no value at all; correct its range or glob")
    return axes


def expand(axes: Mapping[str, Sequence[str]]) -> list[Overrides]:
    """The overrides of every job: all combinations, the last axis changing fastest."""
    return list(itertools.product(*axes.values()))


def expand_extra(axes: Mapping[str, Sequence[str]], extra: str, *, parser: OverridesParser) -> list[Overrides]:
    """The overrides of the jobs that a sweep has beside its grid, such as the dense model that the others are held to.

    Each has the overrides of the sweep that have one value, those of `extra` in place of them or added, and goes
    through the axes that are not about the model, such as seed and data.fold.

    Args:
        axes: of the sweep.
        extra: overrides with spaces between, such as "model=video_deit_tiny model.pool=mean"; they may have several
            values as well.
        parser: of overrides.

    Raises:
        SweepError: `extra` is no text, or empty.
        HydraException: an override that can't be parsed.
    """
    if not isinstance(extra, str) or not extra.strip():
        raise SweepError(f"sweep.also={extra!r} must be overrides, such as sweep.also='model=video_deit_tiny'")
    own = parse_axes(parser.parse_overrides(shlex.split(extra)))
    kept = {key: values for key, values in axes.items() if len(values) == 1 or not _is_about_model(key)}
    return expand({**kept, **own})


def differing(jobs: Sequence[Overrides]) -> list[Overrides]:
    """What each job has that not all have; all of its overrides where there is one job."""
    shared = set(jobs[0]).intersection(*jobs[1:]) if len(jobs) > 1 else set()
    return [tuple(text for text in job if text not in shared) for job in jobs]


def quoted(text: str) -> str:
    """A text as a value for Hydra, which then takes it literally."""
    # backslashes count in front of a quote only
    return "'" + re.sub(r"(\\*)('|\Z)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), text) + "'"


def _is_about_model(key: str) -> bool:
    name = key.lstrip("+~")
    return name == MODEL or name.startswith((f"{MODEL}.", f"{MODEL}@", f"{MODEL}/"))


def _with_value(override: Override) -> str:
    """The override as a text; a deletion may come without a value."""
    key, value = override.get_key_element(), override.get_value_element_as_str()
    bare: Any = override.input_line
    return key if override.is_delete() and "=" not in (bare or "=") else f"{key}={value}"
