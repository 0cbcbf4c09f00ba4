"""The table across backends and precisions, by hand."""

from dataclasses import replace

import pytest
from speed_rows import measured_rows

from stvit_video.model_benchmark.runtime_table import only_peer, runtime_tables, speed_ratio
from stvit_video.model_benchmark.speed_result import SpeedResult, results_of


def row(base: SpeedResult, speed: float, **changes) -> SpeedResult:
    return replace(base, items_per_second=speed, cpu_seconds_min=1 / speed, ratio=None, **changes)


@pytest.fixture
def results() -> list[SpeedResult]:
    """Inputs a second: dense 1, 2 by OpenVINO; ours 4, 10 by OpenVINO, 9 with norms that are not folded; a peer .5."""
    dense, ours, peer, absent = results_of(measured_rows())[:4]
    deployed = {"backend": "openvino", "logit_difference": 0.0012}
    return [
        row(dense, 1),
        row(ours, 4),
        row(peer, 0.5, input_size=(12, 20)),
        absent,
        row(dense, 2, **deployed),
        replace(row(ours, 10, **deployed), ratio=5.0),
        row(ours, 9, backend="onnx", label="ours, norms not folded"),
        replace(ours, backend="openvino", precision="bf16", failure="no bfloat16"),
    ]


def cells(table):
    return {line[:3]: line[3:] for line in table.lines}


def test_ratios_by_hand(results):
    (table,) = runtime_tables(results)
    assert table.title == "Images, all backends and precisions, batch 1"
    assert table.header == (
        *("model", "backend", "precision", "CPU ms/image", "to eager", "to dense", "to dense, eager"),
        *("to peer, eager", "logits off"),
    )
    assert [line[:3] for line in table.lines] == [  # one model after the other
        ("deit_tiny", "eager", "fp32"),
        ("deit_tiny", "openvino", "fp32"),
        ("ours, after 1", "eager", "fp32"),
        ("ours, after 1", "openvino", "fp32"),
        ("ours, norms not folded", "onnx", "fp32"),
        ("ours, after 1", "openvino", "bf16"),
        ("peer", "eager", "fp32"),
        ("absent", "eager", "fp32"),
    ]
    found = cells(table)
    assert found["deit_tiny", "eager", "fp32"] == ("1000", "1.00x", "-", "1.00x", "2.00x", "-")
    assert found["ours, after 1", "openvino", "fp32"] == ("100", "2.50x", "5.00x", "10.0x", "20.0x", "0.120 %")
    assert found["ours, norms not folded", "onnx", "fp32"][1:4] == ("2.25x", "-", "9.00x")
    assert found["ours, after 1", "openvino", "bf16"][0] == "failed"
    assert table.notes[-2:] == ("ours, after 1, openvino bf16: no bfloat16", "absent, eager fp32: timm is gone")
    assert table.styles == ("bold green",) * 5 + ("red", "", "red")


def test_where_there_is_one_backend_and_precision_there_is_no_table(results):
    assert runtime_tables(results[:4]) == []


def test_clips_stand_before_images_and_batch_sizes_apart(results):
    others = [replace(one, input_size=(3, *one.input_size), label=f"{one.label}, clip") for one in results]
    larger = [replace(one, asked_batch_size=8) for one in results]
    titles = [table.title for table in runtime_tables([*results, *larger, *others])]
    assert [title.partition(",")[0] for title in titles] == ["Clips", "Images", "Images"]
    assert titles[2].endswith("batch 8")


def test_inputs_of_another_size_have_no_ratio(results):
    other = replace(results[0], input_size=(24, 24))
    assert speed_ratio(results[1], results[0]) == 4.0
    assert speed_ratio(results[1], other) is None
    assert speed_ratio(results[1], None) is None
    assert speed_ratio(results[3], results[0]) is None


def test_a_column_for_a_peer_where_it_is_alone(results):
    assert only_peer(results) is results[2]  # the other one has failed
    second = replace(results[2], name="second", label="second")
    assert only_peer([*results, second]) is None
    (table,) = runtime_tables([*results, second])
    assert "to peer, eager" not in table.header
