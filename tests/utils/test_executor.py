"""map_in_processes: one outcome an item whatever happens to its process, and no process left behind."""

import os
import signal

import pytest
from process_work import DiesAtStart, act, process_id, unpicklable

from stvit_video.utils import executor
from stvit_video.utils.executor import ProcessStartError, map_in_processes

MORE = "; raise time_limit_seconds if the file is merely long"


def run(items, *, function=act, num_workers=2, time_limit_seconds=1.0):
    found = list(map_in_processes(function, items, num_workers=num_workers, time_limit_seconds=time_limit_seconds))
    assert sorted(outcome.position for outcome in found) == list(range(len(items)))
    return {items[outcome.position]: (outcome.value, outcome.fault) for outcome in found}


def test_every_item_has_its_own_outcome():
    found = run(["a", "kill", "bb", "hang", "ccc", "fail", "exit", "dddd"])
    assert found == {
        "a": (1, ""),
        "bb": (2, ""),
        "ccc": (3, ""),
        "dddd": (4, ""),
        "kill": (None, "its process died (signal SIGSEGV)"),
        "exit": (None, "its process died (exit code 3)"),
        "hang": (None, f"its process was ended after the time limit of 1 s{MORE}"),
        "fail": (None, "OSError: no use for fail"),
    }


def test_only_hanging_and_dying_items_and_one_worker():
    found = run(["hang1", "kill1", "kill2"], num_workers=1, time_limit_seconds=0.3)
    assert [fault.split("(")[0] for _, fault in found.values()] == [
        f"its process was ended after the time limit of 0.3 s{MORE}",
        "its process died ",
        "its process died ",
    ]


def test_processes_are_used_again_and_gone_afterwards():
    found = run(["a", "b", "c", "d", "e"], function=process_id)
    used = {value for value, _ in found.values()}
    assert 1 <= len(used) <= 2
    assert os.getpid() not in used
    for process in used:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_process_that_dies_at_its_start_is_replaced_and_several_are_an_error(tmp_path):
    """As one that is killed while it imports, for want of memory."""
    found = run(["a", "bb"], function=DiesAtStart(str(tmp_path / "twice"), times=2), num_workers=1)
    assert found == {"a": (1, ""), "bb": (2, "")}
    with pytest.raises(ProcessStartError, match=r"can't be started: its process died \(exit code 5\)"):
        run(["a", "bb"], function=DiesAtStart(str(tmp_path / "always"), times=99))


def test_leaving_early_kills_the_processes():
    outcomes = map_in_processes(process_id, ["a", "b", "c"], num_workers=1, time_limit_seconds=5)
    process = next(outcomes).value
    outcomes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


def test_no_items_and_results_that_cannot_travel():
    assert run([]) == {}
    ((value, fault),) = run(["a"], function=unpicklable).values()
    assert value is None
    assert "pickle" in fault


@pytest.mark.parametrize(("num_workers", "limit"), [(0, 1), (1, 0), (1, -2)])
def test_settings_out_of_range_are_refused_at_once(num_workers, limit):
    with pytest.raises(ValueError, match=f"num_workers={num_workers} must be at least 1, time_limit_seconds={limit} a"):
        map_in_processes(act, ["a"], num_workers=num_workers, time_limit_seconds=limit)


def test_results_come_in_order_where_that_is_asked_for():
    items = ["hang", "a", "fail", "bb", "kill", "ccc"]
    found = map_in_processes(act, items, num_workers=3, time_limit_seconds=1.0, in_order=True)
    assert [(outcome.position, outcome.value) for outcome in found] == [
        *((0, None), (1, 1), (2, None)),
        *((3, 2), (4, None), (5, 3)),
    ]


@pytest.mark.parametrize("in_order", [False, True])
def test_leaving_early_kills_the_processes_also_below_a_bar(in_order):
    outcomes = map_in_processes(
        process_id, ["a", "b", "c"], num_workers=1, time_limit_seconds=5, in_order=in_order, progress="counting"
    )
    process = next(outcomes).value
    outcomes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


def test_the_bar_counts_what_is_done(monkeypatch):
    bars = []
    monkeypatch.setattr(executor, "tqdm", lambda **options: bars.append(Bar(**options)) or bars[-1])
    assert len(list(map_in_processes(act, ["a", "fail"], num_workers=2, time_limit_seconds=5, progress="x"))) == 2
    assert len(list(map_in_processes(act, ["a"], num_workers=1, time_limit_seconds=5))) == 1
    assert [(bar.options["desc"], bar.options["total"], bar.done) for bar in bars] == [("x", 2, 2)]


class Bar:
    """What `tqdm` is asked for here."""

    def __init__(self, **options):
        self.options, self.done = options, 0

    def update(self):
        self.done += 1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Nothing to close."""
