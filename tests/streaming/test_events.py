"""Rules of events by hand, and against a slow loop that looks at all steps at once."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pytest

from stvit_video.streaming.events import Event, EventDecider, EventRules, decide

CLASSES = ("walk", "sit", "fall")
RAW = {"smoothing_seconds": 0.0, "min_seconds": 0.0}


@dataclass(frozen=True)
class Row:
    """A stored step."""

    seconds: float
    probabilities: np.ndarray
    note: str = ""


def rows(*probabilities, every=1.0):
    """Steps at 0, 1, 2, ... times `every` seconds; a number = of the class "fall", the others share the rest."""
    full = [np.array([(1 - p) / 2, (1 - p) / 2, p]) if isinstance(p, float) else np.array(p) for p in probabilities]
    return [Row(number * every, row) for number, row in enumerate(full)]


def ended(steps, *, multi_label=False, classes=CLASSES, **rules):
    """The finished events as (label, start, end, decided)."""
    found = decide(steps, classes=classes, multi_label=multi_label, rules=EventRules(**rules))
    return [(e.label, e.start_seconds, e.end_seconds, e.decided_seconds) for e in found if e.end_seconds is not None]


def test_an_event_is_told_when_it_is_sure_and_when_it_is_over():
    steps = rows(0.1, 0.6, 0.9, 0.7, 0.1, 0.1)
    found = list(decide(steps, classes=CLASSES, rules=EventRules(smoothing_seconds=0, min_seconds=1, leave=0.5)))
    assert found == [Event("fall", 1.0, None, 2.0, 0.9), Event("fall", 1.0, 4.0, 2.0, 0.9)]


def test_an_event_that_goes_on_at_the_end_ends_with_the_last_step():
    assert ended(rows(0.1, 0.9, 0.9), **RAW) == [("fall", 1.0, 2.0, 1.0)]
    assert ended([], **RAW) == []


def test_below_enter_there_is_none():
    steps = rows([0.4, 0.35, 0.25], [0.3, 0.45, 0.25], [0.34, 0.33, 0.33])
    assert ended(steps, **RAW) == []
    assert ended(steps, enter=0.45, leave=0.45, **RAW) == [("sit", 1.0, 2.0, 1.0)]


def test_hysteresis_holds_an_event_that_flickers():
    steps = rows(0.8, 0.6, 0.8, 0.6, 0.4, 0.6, 0.8)
    assert ended(steps, enter=0.7, leave=0.5, **RAW) == [("fall", 0.0, 4.0, 0.0), ("fall", 6.0, 6.0, 6.0)]
    assert [event[1:3] for event in ended(steps, enter=0.7, leave=0.7, **RAW)] == [(0, 1), (2, 3), (6, 6)]


def test_a_likelier_class_takes_over():
    steps = rows([0.8, 0.1, 0.1], [0.45, 0.35, 0.2], [0.3, 0.6, 0.1], [0.3, 0.45, 0.25])
    assert ended(steps, enter=0.5, leave=0.25, **RAW) == [("walk", 0.0, 2.0, 0.0), ("sit", 2.0, 3.0, 2.0)]


def test_equally_likely_classes_do_not_take_turns():
    steps = rows([0.4, 0.6, 0.0], [0.5, 0.5, 0.0], [0.5, 0.5, 0.0])
    assert ended(steps, **RAW) == [("sit", 0.0, 2.0, 0.0)]


def test_a_short_event_is_never_told_and_causes_no_cool_down():
    steps = rows(0.9, 0.1, 0.9, 0.9, 0.9, 0.1)
    rules = {"smoothing_seconds": 0.0, "min_seconds": 2.0, "cooldown_seconds": 50.0}
    assert all(event.start_seconds == 2.0 for event in decide(steps, classes=CLASSES, rules=EventRules(**rules)))
    assert ended(steps, **rules) == [("fall", 2.0, 5.0, 4.0)]


def test_cool_down_of_a_class_lets_others_begin():
    steps = rows([0, 0, 1], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1])
    found = ended(steps, cooldown_seconds=3.0, **RAW)
    assert found == [("fall", 0.0, 1.0, 0.0), ("sit", 1.0, 2.0, 1.0), ("fall", 4.0, 5.0, 4.0)]


def test_durations_whose_floats_are_a_little_short():
    """0.3 - 0.1 s is less than 0.2 s in floats."""
    steps = [Row(n / 10, np.array([0.0, 0.0, float(n in (1, 2, 3))])) for n in range(6)]
    assert ended(steps, smoothing_seconds=0.0, min_seconds=0.2) == [("fall", 0.1, 0.4, 0.3)]


def test_several_labels_are_decided_each_by_itself():
    steps = rows([0.9, 0.8, 0.1], [0.9, 0.1, 0.7], [0.2, 0.1, 0.7])
    found = ended(steps, multi_label=True, **RAW)
    assert sorted(found) == [("fall", 1.0, 2.0, 1.0), ("sit", 0.0, 1.0, 0.0), ("walk", 0.0, 2.0, 0.0)]


def test_time_that_nobody_saw_ends_events_and_is_not_smoothed_over():
    steps = [*rows(0.9, 0.9), Row(60.0, np.array([0.0, 1.0, 0.0]), note="began anew")]
    found = ended(steps, smoothing_seconds=100.0, min_seconds=0.0)
    assert found == [("fall", 0.0, 1.0, 0.0), ("sit", 60.0, 60.0, 60.0)]


def test_a_clock_that_is_put_back():
    steps = [*rows(0.9, 0.1), Row(0.5, np.array([0.0, 0.0, 1.0]), note="began anew")]
    assert ended(steps, cooldown_seconds=1e9, **RAW) == [("fall", 0.0, 1.0, 0.0), ("fall", 0.5, 0.5, 0.5)]
    with pytest.raises(ValueError, match=r"a step at 0.5 s comes after one at 1 s.*order of time"):
        ended([*steps[:2], Row(0.5, steps[2].probabilities)], **RAW)


def test_a_decider_that_is_given_step_by_step_tells_the_same():
    steps = rows(0.9, 0.2, 0.9, 0.9, 0.1, every=0.4)
    decider = EventDecider(classes=CLASSES, rules=EventRules())
    told = [event for step in steps for event in decider.take(step)] + decider.finish()
    assert told == list(decide(steps, classes=CLASSES))
    assert decider.finish() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"smoothing": "median"}, "smoothing='median'.*mean, ema"),
        ({"smoothing_seconds": -1}, "smoothing_seconds=-1 .*0 or more"),
        ({"min_seconds": float("nan")}, "min_seconds=nan"),
        ({"cooldown_seconds": True}, "cooldown_seconds=True"),
        ({"enter": 0}, "enter=0 .*above 0 and at most 1"),
        ({"enter": 1.5}, "enter=1.5"),
        ({"enter": 0.3, "leave": 0.4}, "leave=0.4 is above enter=0.3"),
    ],
)
def test_rules_out_of_range(wrong, message):
    with pytest.raises(ValueError, match=message):
        EventRules(**wrong)


def test_a_step_of_other_classes():
    with pytest.raises(ValueError, match=r"\(3,\) and there are 2 classes"):
        list(decide(rows(0.5), classes=("walk", "sit")))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ((1.0, [0.5, 0.5]), "of type tuple came as a step, which has seconds and probabilities"),
        (None, "None of type NoneType came as a step"),
        (Row(float("nan"), np.array([0.2, 0.3, 0.5])), "seconds of a step=nan is not possible"),
        (Row("soon", np.array([0.2, 0.3, 0.5])), "seconds of a step='soon' is not possible"),
        (
            Row(1.5, np.array([0.2, np.nan, 0.5])),
            "at 1.5 s has probabilities from nan to nan, and they lie from 0 to 1",
        ),
        (Row(1.5, np.array([-2.5, 0.1, 7.25])), "from -2.5 to 7.25, .* give probabilities, not logits"),
        (Row(1.5, np.array([0.2, 0.3, 1.01])), r"from 0\.2 to 1\.01"),
        (Row(1.5, np.array(["a", "b", "c"])), "of type <U1, and they lie"),
        (Row(1.5, np.array([[0.2, 0.3, 0.5]])), r"shape \(1, 3\) and there are 3 classes"),
    ],
)
def test_what_is_no_step(step, said):
    with pytest.raises(ValueError, match=said):
        list(decide([*rows(0.5), step], classes=CLASSES))


def test_probabilities_that_are_rounded_up_are_taken():
    assert ended(rows([1.0000002, 0.0, -1e-7], [1.0, 0.0, 0.0]), **RAW) == [("walk", 0.0, 1.0, 0.0)]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("smoothing", ["mean", "ema"])
@pytest.mark.parametrize("seed", range(4))
def test_against_a_slow_loop(seed, smoothing, multi_label):
    generator = np.random.default_rng(seed)
    times = np.cumsum(generator.choice([0.16, 0.16, 0.2, 1.1], size=300))
    drift = np.zeros((300, 3))
    for number in range(1, 300):
        drift[number] = 0.9 * drift[number - 1] + generator.normal(size=3)
    table = 1 / (1 + np.exp(-drift)) if multi_label else np.exp(drift) / np.exp(drift).sum(axis=1, keepdims=True)
    rules = EventRules(
        smoothing=smoothing, smoothing_seconds=0.7, enter=0.6, leave=0.35, min_seconds=0.5, cooldown_seconds=2.0
    )
    found = list(
        decide(
            [Row(t, row) for t, row in zip(times, table, strict=True)],
            classes=CLASSES,
            multi_label=multi_label,
            rules=rules,
        )
    )
    finished = sorted((e for e in found if e.end_seconds is not None), key=lambda e: (e.start_seconds, e.label))
    expected = slow_events(times, table, rules, multi_label=multi_label)
    assert len(expected) > 8
    assert [(e.label, e.start_seconds, e.end_seconds, e.decided_seconds) for e in finished] == [e[:4] for e in expected]
    np.testing.assert_allclose([e.probability for e in finished], [e[4] for e in expected])
    assert len(found) == 2 * len(finished)


def slow_events(times, table, rules, *, multi_label):
    """Label every step first, class by class, then read the runs off."""
    smooth = np.stack([slow_smooth(times, table, number, rules) for number in range(len(times))])
    inside = np.zeros(smooth.shape, dtype=bool)  # True = the step belongs to an event of the class
    quiet = [[] for _ in CLASSES]  # (from, until) of each class
    for number, now in enumerate(times):
        awake = [k for k in range(3) if not any(since <= now < until - 1e-6 for since, until in quiet[k])]
        high = [k for k in awake if smooth[number, k] >= rules.enter]
        high = high if multi_label else [max(high, key=lambda k: smooth[number, k])] if high else []
        before = [k for k in range(3) if number and inside[number - 1, k]]
        stays = [k for k in before if smooth[number, k] >= rules.leave]
        if not multi_label:
            stays = [k for k in stays if not high or smooth[number, high[0]] <= smooth[number, k]]
        for k in {*stays, *(high if multi_label or not stays else [])}:
            inside[number, k] = True
        for k in set(before) - set(stays):
            first = number - 1
            while first and inside[first - 1, k]:
                first -= 1
            if times[number - 1] - times[first] >= rules.min_seconds - 1e-6:
                quiet[k].append((now, now + rules.cooldown_seconds))
    events = []
    for k, name in enumerate(CLASSES):
        for is_inside, run in groupby(range(len(times)), key=lambda n, k=k: inside[n, k]):
            run = list(run)
            long = [n for n in run if times[n] - times[run[0]] >= rules.min_seconds - 1e-6]
            if is_inside and long:
                end = times[min(run[-1] + 1, len(times) - 1)]
                events.append((name, times[run[0]], end, times[long[0]], smooth[run, k].max()))
    return sorted(events, key=lambda event: (event[1], event[0]))


def slow_smooth(times, table, number, rules):
    """The smoothed probabilities at one step from all the steps before it."""
    now = times[number]
    if rules.smoothing == "mean":
        near = [n for n in range(number + 1) if now - times[n] < rules.smoothing_seconds - 1e-6]
        return table[near].mean(axis=0)
    decay = [np.exp(-(now - t) / rules.smoothing_seconds) for t in times[: number + 1]]
    weights = np.diff(decay, prepend=0.0)  # the first step holds for ever before
    return (weights[:, None] * table[: number + 1]).sum(axis=0)
