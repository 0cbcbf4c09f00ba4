"""The turns of one row: warm-up, batches that don't fit, failures, waiting and starting anew."""

import pytest
from row_services import MadeUp, ServiceHere, tiny_row

from stvit_video.model_benchmark import row_worker
from stvit_video.model_benchmark.entrant import Description, Entrant, HowMeasured, describe
from stvit_video.model_benchmark.graph_files import GraphFiles
from stvit_video.model_benchmark.row_process import RowError

HOW = HowMeasured(batch_sizes=(1, 8), seconds=0.5, threads=1, is_training=False)


def entrant(
    start: MadeUp,
    *,
    how: HowMeasured = HOW,
    backend: str = "eager",
    failure: str = "",
    graphs: GraphFiles | None = None,
) -> Entrant:
    described = Description(input_size=(12, 20), gmacs=1.0, num_parameters=5, failure=failure)
    return Entrant(
        row=tiny_row(), described=described, precision="fp32", backend=backend, how=how, start=start, graphs=graphs
    )


def timed(request: dict) -> dict:
    """0.1 s of CPU time an item; a peak that grows with the batch."""
    if request["do"] == "prepare":
        return {"bytes_before": 500}
    size = request["batch_size"]
    return {"wall": [size * 0.3] * request["least"], "cpu": [size * 0.1] * request["least"], "peak_bytes": size * 1000}


def failing_above(limit: int, error: RowError):
    def answer(request: dict) -> dict:
        if request.get("batch_size", 0) > limit:
            raise error
        return timed(request)

    return answer


def test_turns_in_one_process_that_waits():
    start = MadeUp(timed)
    one = entrant(start)
    for _ in range(2):
        one.take_turn()
        one.park(lambda: True)
    assert start.asked == [
        (1, "prepare"),
        (1, "time 1 1 fp32"),
        (1, "time 8 1 fp32"),
        (1, "time 1 1 fp32"),  # the caches are cold again
        (1, "time 8 0 fp32"),
    ]
    assert one.timed[1].cpu_seconds == pytest.approx([0.1] * 6)  # latency needs several passes
    assert one.timed[8].wall_seconds == pytest.approx([2.4] * 2)
    assert (one.bytes_before, one.timed[1].peak_bytes, one.timed[8].peak_bytes) == (500, 1000, 8000)
    assert start.running == {1}
    one.end()
    one.end()
    assert start.running == set()


def test_without_room_each_turn_has_a_process_that_warms_up_anew():
    start = MadeUp(timed)
    one = entrant(start)
    for _ in range(2):
        one.take_turn()
        one.park(lambda: False)
        assert start.running == set()
    assert start.asked[3:] == [(2, "prepare"), (2, "time 1 1 fp32"), (2, "time 8 0 fp32")]
    assert len(one.timed[8].cpu_seconds) == 2


def test_compiled_models_warm_up_twice():
    start = MadeUp(timed)
    entrant(start, backend="compile").take_turn()
    assert start.asked[1:] == [(1, "time 1 2 fp32"), (1, "time 8 2 fp32")]


def test_an_exported_model_is_opened_by_every_process_that_times_it(tmp_path):
    def answer(request: dict) -> dict:
        if request["do"] == "export":
            return {}
        if request["do"] == "prepare":
            assert request["folder"] == str(tmp_path / "0")
            return {"bytes_before": 500, "logit_difference": 0.25}
        return timed(request)

    start = MadeUp(answer)
    one = entrant(start, backend="onnx", graphs=GraphFiles(folder=tmp_path, start=start, threads=1))
    for _ in range(2):
        one.take_turn()
        one.park(lambda: False)
    assert [words for number, words in start.asked if number == 1] == ["export fp32"]
    assert [words for number, words in start.asked if number == 3] == [
        *("prepare fp32", "time 1 1 fp32", "time 8 0 fp32"),
    ]
    assert one.logit_difference == 0.25


def test_a_model_that_can_not_be_exported_is_tried_once(tmp_path):
    def refuse(request: dict) -> dict:
        raise RowError("missing", "onnx is gone")

    start = MadeUp(refuse)
    one = entrant(start, backend="onnx", graphs=GraphFiles(folder=tmp_path, start=start, threads=1))
    one.take_turn()
    assert [timed.failure for timed in one.timed.values()] == ["onnx is gone"] * 2
    assert (start.num_started, start.running) == (1, set())


@pytest.mark.parametrize(("limit", "size"), [(4, 4), (3, 2), (1, 1)])
def test_a_batch_that_does_not_fit_is_halved(limit, size):
    start = MadeUp(failing_above(limit, RowError("memory", "it is full")))
    one = entrant(start)
    for _ in range(2):
        one.take_turn()
    assert (one.timed[8].asked, one.timed[8].batch_size, one.timed[8].failure) == (8, size, "")
    assert one.timed[8].peak_bytes == size * 1000  # of a process that has not tried the larger batch
    assert one.timed[8].cpu_seconds == pytest.approx([size * 0.1] * len(one.timed[8].cpu_seconds))
    assert len(start.running) == 1


def test_not_even_one_fits():
    one = entrant(MadeUp(failing_above(0, RowError("memory", "it is full"))))
    one.take_turn()
    assert all("batch 1 (it is full)" in timed.failure for timed in one.timed.values())


def test_another_failure_is_that_of_its_batch_size_and_is_not_tried_again():
    start = MadeUp(failing_above(1, RowError("failed", "no bf16")))
    one = entrant(start)
    for _ in range(2):
        one.take_turn()
    assert [timed.failure for timed in one.timed.values()] == ["", "no bf16"]
    assert [words for _, words in start.asked].count("time 8 1 fp32") == 1
    assert len(one.timed[1].cpu_seconds) == 6


def test_a_row_that_could_not_be_described_has_no_turn():
    start = MadeUp(timed)
    one = entrant(start, failure="timm is gone")
    one.take_turn()
    assert start.num_started == 0
    assert [timed.failure for timed in one.timed.values()] == ["timm is gone"] * 2


def test_descriptions(monkeypatch):
    monkeypatch.setattr(row_worker, "limit_memory", lambda: None)
    row = tiny_row(name="stvit_deit_tiny", generate_at=1, num_tokens=3)
    described = describe(row, start=ServiceHere, threads=1)
    assert (described.input_size, described.tokens, described.failure) == ((12, 20), (15, 3), "")
    assert described.gmacs > 0
    described = describe(tiny_row(depth=0), start=ServiceHere, threads=1)
    assert "depth" in described.failure
    assert described.input_size == (12, 20)

    def gone(request):
        raise RowError("missing", "timm is gone")

    start = MadeUp(gone)
    assert describe(tiny_row(), start=start, threads=1).failure == "timm is gone"
    assert start.running == set()
