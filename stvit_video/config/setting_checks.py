"""Run checks of settings even if some values have a wrong type: only checks that read these are left out."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

Settings = Mapping[str, Any]
Check = Callable[[Settings], list[str]]  # takes the whole configuration, gives a sentence for each fault


class _WrongSettingReadError(Exception):
    """A check has asked for a setting that is known to be wrong."""


class _SoundSettings(Mapping[str, Any]):
    """The configuration, or a group of it, from which wrong values can't be read."""

    def __init__(self, values: Settings, wrong: Collection[str], *, group: str = "") -> None:
        self._values, self._wrong, self._group = values, wrong, group

    def __getitem__(self, key: str) -> Any:
        if f"{self._group}{key}" in self._wrong:
            raise _WrongSettingReadError(key)
        value = self._values[key]
        is_group = isinstance(value, Mapping) and not self._group
        return _SoundSettings(value, self._wrong, group=f"{key}.") if is_group else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def sound_settings(settings: Settings, wrong: Collection[str]) -> Settings:
    """Hide the wrong settings; a check that reads one of these finds no faults, see `run_checks`.

    Args:
        settings: the resolved training configuration as plain values.
        wrong: settings of a wrong type or out of their range, such as "optim.lr".
    """
    return _SoundSettings(settings, wrong)


def run_checks(checks: Sequence[Check], settings: Settings, wrong: Collection[str]) -> list[str]:
    """Collect the faults that the checks find; a check that reads a wrong setting finds none.

    Args:
        checks: each takes the whole configuration, and gives a sentence for each fault.
        settings: with wrong: see `sound_settings`.
    """
    sound = sound_settings(settings, wrong)
    return [fault for check in checks for fault in _faults(check, sound)]


def _faults(check: Check, sound: Settings) -> list[str]:
    try:
        return check(sound)
    except _WrongSettingReadError:
        return []
