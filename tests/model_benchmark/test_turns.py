"""All rows take turns; a row that fails, and an end in the middle, cost nothing else."""

import pytest
from row_services import MadeUp, tiny_row

from stvit_video.model_benchmark import turns
from stvit_video.model_benchmark.entrant import HowMeasured
from stvit_video.model_benchmark.row_process import RowError
from stvit_video.model_benchmark.row_ways import ways_of
from stvit_video.model_benchmark.turns import has_room, measure_turns

HOW = HowMeasured(batch_sizes=(2,), seconds=0.0, threads=1, is_training=False)
ROWS = [tiny_row(name) for name in "abc"]
WAYS = ways_of(ROWS, precisions=["fp32"], backends=["eager"])


def answer(request: dict) -> dict:
    match request["do"]:
        case "describe":
            if request["row"]["label"] == "b":
                raise RowError("missing", "b is gone")
            return {"input_size": [12, 20], "note": "", "gmacs": 1.0, "num_parameters": 5, "tokens": [15]}
        case "prepare":
            return {"bytes_before": 500}
    return {"wall": [0.2], "cpu": [0.1], "peak_bytes": 1000}


def test_a_b_c_a_b_c(monkeypatch):
    monkeypatch.setattr(turns, "available_bytes", lambda: None)
    start, told, kept = MadeUp(answer), [], []
    measured = measure_turns(
        ways_of(ROWS, precisions=["fp32", "bf16"], backends=["eager"]),
        how=HOW,
        rounds=2,
        tell=told.append,
        keep=lambda so_far: kept.append((so_far.rounds, len(so_far.entrants[0].timed[2].cpu_seconds))),
        start=start,
    )
    turn = [(4, "multiply fp32"), (4, "multiply bf16"), (5, "prepare"), (5, "time 2 1 fp32"), (6, "prepare")]
    turn += [(6, "time 2 1 fp32"), (7, "prepare"), (7, "time 2 1 bf16"), (8, "prepare"), (8, "time 2 1 bf16")]
    again = [(9, "multiply fp32"), (9, "multiply bf16"), (5, "time 2 1 fp32"), (6, "time 2 1 fp32")]
    again += [(7, "time 2 1 bf16"), (8, "time 2 1 bf16")]
    assert start.asked == [(1, "describe"), (2, "describe"), (3, "describe"), *turn, *again]
    assert start.running == set()
    assert kept == [(1, 1), (2, 2)]
    assert told[:5] == ["counting a", "counting b", "counting c", "round 1 of 2: matrix products", told[4]]
    assert len(told) == 3 + 2 * (1 + 6)
    assert [entrant.timed[2].failure for entrant in measured.entrants] == ["", "b is gone", ""] * 2
    assert measured.matrix["bf16"].cpu_seconds == [0.1, 0.1]
    assert measured.rounds == 2


def test_an_end_in_the_middle_ends_all_processes(monkeypatch):
    monkeypatch.setattr(turns, "available_bytes", lambda: None)
    start = MadeUp(answer)

    def stop(measured):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_turns(WAYS, how=HOW, rounds=2, keep=stop, start=start)
    assert start.num_started == 3 + 1 + 2
    assert start.running == set()


def test_products_that_fail_say_so():
    def failing(request):
        if request["do"] == "multiply":
            raise RowError("failed", "no bf16")
        return answer(request)

    ways = ways_of(ROWS[:1], precisions=["bf16"], backends=["eager"])
    measured = measure_turns(ways, how=HOW, rounds=1, start=MadeUp(failing))
    assert measured.matrix["bf16"].failure == "no bf16"
    assert measured.entrants[0].timed[2].cpu_seconds == [0.1]


def test_exported_rows_are_written_once_and_have_products_of_torch_in_fp32_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(turns, "available_bytes", lambda: None)
    monkeypatch.setattr(turns, "has_room", lambda entrants: False)
    start = MadeUp(lambda request: {} if request["do"] == "export" else answer(request))
    ways = ways_of(ROWS[:1], precisions=["fp32", "bf16", "int8"], backends=["openvino"])
    measured = measure_turns(ways, how=HOW, rounds=2, graph_folder=tmp_path, start=start)
    asked = [words for _, words in start.asked]
    assert asked[:2] == ["describe", "multiply fp32"]
    assert asked[2:10] == [
        *("export fp32", "prepare fp32", "time 2 1 fp32", "prepare bf16", "time 2 1 bf16"),
        *("export int8", "prepare int8", "time 2 1 int8"),
    ]
    assert asked[10] == "multiply fp32"
    assert asked[11:] == [f"{what} {name}" for name in ("fp32", "bf16", "int8") for what in ("prepare", "time 2 1")]
    assert set(measured.matrix) == {"fp32"}
    assert start.running == set()


@pytest.mark.parametrize(
    ("free", "peak", "room"),
    [(None, 2**40, True), (5 * 2**30, 0, True), (3 * 2**30, 0, False), (9 * 2**30, 8 * 2**30, False)],
)
def test_a_process_waits_where_the_largest_row_has_room_beside_it(monkeypatch, free, peak, room):
    monkeypatch.setattr(turns, "available_bytes", lambda: None)
    measured = measure_turns(WAYS[:1], how=HOW, rounds=1, start=MadeUp(answer))
    measured.entrants[0].timed[2].peak_bytes = peak
    monkeypatch.setattr(turns, "available_bytes", lambda: free)
    assert has_room(measured.entrants) is room
