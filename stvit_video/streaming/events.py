"""From the probabilities of steps to events: what is seen, since when, until when.

Nothing here knows where the steps come from, so that rules can be tuned on stored ones.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stvit_video.layers.numbers import number
from stvit_video.streaming.smoothing import SLACK_SECONDS, Smoother, make_smoother
from stvit_video.utils.choices import Smoothing, words_of

SLACK = 1e-5  # of probabilities, which are rounded


class ScoredStep(Protocol):
    """What is needed of a step; one with a `note` that is not empty begins anew after time that nobody saw."""

    @property
    def seconds(self) -> float:
        """Time of the newest frame."""
        ...

    @property
    def probabilities(self) -> np.ndarray:
        """Of the classes, (K,)."""
        ...


@dataclass(frozen=True)
class Event:
    """A class that is seen for some time.

    Attributes:
        label: name of the class.
        start_seconds: of the first step of the event.
        end_seconds: of the first step that is no longer of it, or of the last step where the steps end; None = it goes
            on.
        decided_seconds: of the step at which the event was sure, having lasted `min_seconds`.
        probability: the highest smoothed probability of the class within the event, so far.
    """

    label: str
    start_seconds: float
    end_seconds: float | None
    decided_seconds: float
    probability: float


@dataclass(frozen=True, kw_only=True)
class EventRules:
    """When an event begins, ends and is told.

    Attributes:
        smoothing: of the probabilities: "mean" = of the steps of the last `smoothing_seconds`, "ema" = exponential
            moving average with that time constant.
        smoothing_seconds: 0 = no smoothing.
        enter: smoothed probability from which on an event begins.
        leave: smoothed probability below which it ends.
        min_seconds: an event is told once it has lasted so long; a shorter one never.
        cooldown_seconds: after an event that was told, no new one of its class begins for so long.

    Raises:
        ValueError: a value is out of range, or `leave` is above `enter`.
    """

    smoothing: Smoothing = "mean"
    smoothing_seconds: float = 1.0
    enter: float = 0.5
    leave: float = 0.4
    min_seconds: float = 0.5
    cooldown_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.smoothing not in words_of(Smoothing):
            raise ValueError(f"smoothing={self.smoothing!r} is unknown; use one of {', '.join(words_of(Smoothing))}")
        for name in ("smoothing_seconds", "min_seconds", "cooldown_seconds"):
            value = self._number(name)
            if value is None or value < 0:
                raise ValueError(f"{name}={getattr(self, name)!r} must be a number of seconds, 0 or more")
        for name in ("enter", "leave"):
            value = self._number(name)
            if value is None or not 0 < value <= 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be a probability above 0 and at most 1")
        if self.leave > self.enter:
            raise ValueError(
                f"leave={self.leave} is above enter={self.enter}, so that an event would end as it begins; give a "
                "leave of at most enter"
            )

    def _number(self, name: str) -> float | None:
        """The value of an attribute; None = it is no finite number."""
        value = getattr(self, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return value if is_number else None


def decide(
    steps: Iterable[ScoredStep],
    *,
    classes: Sequence[str],
    multi_label: bool = False,
    rules: EventRules = EventRules(),
) -> Iterator[Event]:
    """The events of steps in order of time, each as soon as it is sure, and once more when it is over.

    Args:
        steps: of one recording; anything with `seconds` and `probabilities`.
        classes: names in the order of the probabilities.
        multi_label: False = at most one event at a time, that of the likeliest class, and none where no class reaches
            `enter`; a likelier class that reaches `enter` ends the event of another one. True = each class by itself.
        rules: when events begin, end and are told.

    Yields:
        An event with `end_seconds=None`, and later the same event with its end.

    Raises:
        ValueError: what is no step; a step that has not one probability from 0 to 1 for each class, or no finite time,
            or comes before an earlier one.
    """
    decider = EventDecider(classes=classes, multi_label=multi_label, rules=rules)
    for step in steps:
        yield from decider.take(step)
    yield from decider.finish()


class EventDecider:
    """`decide`, a step at a time.

    Args:
        classes, multi_label, rules: see `decide`.
    """

    def __init__(self, *, classes: Sequence[str], multi_label: bool = False, rules: EventRules) -> None:
        self._classes, self._multi_label, self._rules = tuple(classes), multi_label, rules
        self._open: dict[int, _OpenEvent] = {}
        self._quiet_until: dict[int, float] = {}
        self._newest: float | None = None
        self._smoother: Smoother = make_smoother(rules.smoothing, rules.smoothing_seconds)

    def take(self, step: ScoredStep) -> list[Event]:
        """The events that this step makes sure, and those that it ends.

        Raises:
            ValueError: see `decide`.
        """
        seconds, probabilities = _checked(step, num_classes=len(self._classes))
        told = self._interrupt(seconds) if getattr(step, "note", "") else []
        if self._newest is not None and seconds < self._newest:
            raise ValueError(
                f"a step at {seconds:g} s comes after one at {self._newest:g} s; give the steps of one recording in "
                "order of time"
            )
        self._newest = seconds
        smoothed = self._smoother.take(seconds, probabilities)
        entering = self._entering(smoothed, seconds)
        for label in [label for label in self._open if self._is_over(label, entering, smoothed)]:
            told += self._end(label, seconds)
        if self._multi_label or not self._open:
            self._open |= {label: _OpenEvent(seconds) for label in entering if label not in self._open}
        return told + self._sure(smoothed, seconds)

    def finish(self) -> list[Event]:
        """End what goes on at the newest step, and forget all but how long classes have to be quiet."""
        told = [] if self._newest is None else [e for label in list(self._open) for e in self._end(label, self._newest)]
        self._newest = None
        self._smoother = make_smoother(self._rules.smoothing, self._rules.smoothing_seconds)
        return told

    def _interrupt(self, seconds: float) -> list[Event]:
        """As `finish`, before a step that begins anew; where the clock was put back, no class has to be quiet."""
        if self._newest is not None and seconds < self._newest:
            self._quiet_until.clear()
        return self.finish()

    def _entering(self, smoothed: np.ndarray, seconds: float) -> list[int]:
        """The classes that an event may begin with here; with one label at a time the likeliest."""
        quiet = {label for label, until in self._quiet_until.items() if seconds < until - SLACK_SECONDS}
        found = [label for label in np.flatnonzero(smoothed >= self._rules.enter).tolist() if label not in quiet]
        return found if self._multi_label else sorted(found, key=lambda label: -smoothed[label])[:1]

    def _is_over(self, label: int, entering: Sequence[int], smoothed: np.ndarray) -> bool:
        if smoothed[label] < self._rules.leave:
            return True
        return not self._multi_label and any(smoothed[other] > smoothed[label] for other in entering)

    def _end(self, label: int, seconds: float) -> list[Event]:
        ended = self._open.pop(label)
        if ended.decided_seconds is None:
            return []
        self._quiet_until[label] = seconds + self._rules.cooldown_seconds
        return [dataclasses.replace(ended.told(self._classes[label]), end_seconds=seconds)]

    def _sure(self, smoothed: np.ndarray, seconds: float) -> list[Event]:
        """Note what is seen of open events; those that have lasted long enough now are told."""
        told = []
        for label, event in self._open.items():
            event.probability = max(event.probability, float(smoothed[label]))
            lasted = seconds - event.start_seconds >= self._rules.min_seconds - SLACK_SECONDS
            if event.decided_seconds is None and lasted:
                event.decided_seconds = seconds
                told.append(event.told(self._classes[label]))
        return told


def _checked(step: ScoredStep, *, num_classes: int) -> tuple[float, np.ndarray]:
    """Time and probabilities (num_classes,) of a step.

    Raises:
        ValueError: see `decide`.
    """
    if not (hasattr(step, "seconds") and hasattr(step, "probabilities")):
        raise ValueError(
            f"{step!r:.80} of type {type(step).__name__} came as a step, which has seconds and probabilities; give the "
            "steps of run, or those of read_steps"
        )
    seconds, probabilities = number("seconds of a step", step.seconds), np.asarray(step.probabilities)
    if probabilities.shape != (num_classes,):
        raise ValueError(
            f"the step at {seconds:g} s has probabilities of shape {probabilities.shape} and there are {num_classes} "
            "classes; give one probability for each class"
        )
    if not np.issubdtype(probabilities.dtype, np.number) or not (np.abs(probabilities - 0.5) <= 0.5 + SLACK).all():
        raise ValueError(
            f"the step at {seconds:g} s has probabilities {_range_of(probabilities)}, and they lie from 0 to 1; give "
            "probabilities, not logits, and leave out steps that have none"
        )
    return seconds, probabilities


def _range_of(values: np.ndarray) -> str:
    is_numbers = np.issubdtype(values.dtype, np.number)
    return f"from {values.min():g} to {values.max():g}" if is_numbers else f"of type {values.dtype}"


@dataclass
class _OpenEvent:
    """An event that goes on; not yet sure while `decided_seconds` is None."""

    start_seconds: float
    decided_seconds: float | None = None
    probability: float = 0.0

    def told(self, label: str) -> Event:
        assert self.decided_seconds is not None
        return Event(label, self.start_seconds, None, self.decided_seconds, self.probability)
