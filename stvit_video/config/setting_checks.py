"""Run checks of settings even if some values are wrong: only checks that read these are left out."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar, cast

from stvit_video.settings.declare import Group
from stvit_video.settings.markdown import as_override
from stvit_video.settings.train_settings import TaskSettings

S = TypeVar("S", bound=TaskSettings)
Check = Callable[[Any], list[str]]  # takes the settings of a task; a sentence for each fault


class _WrongSettingReadError(Exception):
    """A check has asked for a setting that is known to be wrong."""


class _SoundSettings:
    """Settings, or a group of them, from which wrong values can't be read."""

    def __init__(self, settings: Group, wrong: Collection[str], *, group: str = "") -> None:
        self._settings, self._wrong, self._group = settings, wrong, group

    def __getattr__(self, name: str) -> Any:
        if f"{self._group}{name}" in self._wrong:
            raise _WrongSettingReadError(name)
        value = getattr(self._settings, name)
        if isinstance(value, Group):
            return _SoundSettings(value, self._wrong, group=f"{name}.")
        takes_all = name in ("plain", "options") and self._group
        if takes_all and any(wrong.startswith(self._group) for wrong in self._wrong):
            raise _WrongSettingReadError(name)
        return value


def sound_settings(settings: S, wrong: Collection[str]) -> S:
    """Hide the wrong settings; a check that reads one of these finds no faults, see `run_checks`.

    Args:
        settings: of the training.
        wrong: settings of a wrong type or out of their range, such as "optim.lr", or whole groups.
    """
    return cast(S, _SoundSettings(settings, wrong))


def run_checks(checks: Sequence[Check], settings: TaskSettings, wrong: Collection[str]) -> list[str]:
    """Collect the faults that the checks find; a check that reads a wrong setting finds none.

    Args:
        checks: each takes all settings, and gives a sentence for each fault.
        settings: with wrong: see `sound_settings`.
    """
    sound = sound_settings(settings, wrong)
    return [fault for check in checks for fault in _faults(check, sound)]


def _faults(check: Check, sound: TaskSettings) -> list[str]:
    try:
        return check(sound)
    except _WrongSettingReadError:
        return []


def others_settings(given: Any, usual: Group, *, names: Iterable[str], group: str, of: str) -> list[str]:
    """A sentence on settings that are not at their defaults, though another task uses them; none = nothing.

    Args:
        given: the group.
        usual: the group with its defaults.
        names: of the settings to look at.
        group: its name.
        of: the tasks that use them, such as "task=classification".
    """
    pairs = {name: getattr(given, name) for name in names if getattr(given, name) != getattr(usual, name)}
    changed = [f"{group}.{name}={as_override(value)}" for name, value in pairs.items()]
    if not changed:
        return []
    more = len(changed) > 1
    return [f"{', '.join(changed)} {'are' if more else 'is'} for {of}; leave {'them' if more else 'it'} out"]


def faults_of(work: Callable[[], object], *, name: str = "") -> list[str]:
    """Call `work` and return the message of its ValueError as a fault; no error = no fault.

    Args:
        work: may raise.
        name: of the setting that it is about, to begin the message with.
    """
    try:
        work()
    except ValueError as error:
        return [f"{name}: {error}" if name else str(error)]
    return []
