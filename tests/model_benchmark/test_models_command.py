"""The command: which rows its settings ask for, and a run of tiny models from its words to its files."""

import json
import re

import pytest
from row_services import ServiceHere
from torch_graphs import run_graphs_in_torch

from stvit_video.benchmark import main
from stvit_video.model_benchmark import models_command, row_graph, row_timing, row_worker
from stvit_video.model_benchmark.models_command import MODELS, chosen_ways, rows_of
from stvit_video.model_benchmark.turns import measure_turns

HERE = {"start": ServiceHere}


@pytest.fixture
def in_this_process(monkeypatch):
    """Rows are measured here, without processes, and the matrix products are small."""
    monkeypatch.setattr(row_worker, "limit_memory", lambda: None)
    monkeypatch.setattr(row_worker, "time_matrix_product", lambda name: row_timing.time_matrix_product(name, size=16))
    monkeypatch.setattr(models_command, "measure_turns", lambda ways, **how: measure_turns(ways, **how, **HERE))


def labels(*words: str) -> list[str]:
    return [row.label for row in rows_of(MODELS.parse(["models", *words]))]


def test_the_default_rows():
    found = labels()
    assert found[:3] == ["video_deit_small, joint", "deit_small", "swin_tiny"]
    assert {"stvit_video_deit_small, after 1", "stvit_video_deit_small, tome, after 4"} < set(found)
    assert {"stvit_swin_tiny", "swin3d_b (torchvision)", "slowfast_r50 (pytorchvideo)"} < set(found)
    assert {"vivit_base (transformers)", "timm_swin_tiny (timm)", "timm_deit_small (timm)"} < set(found)
    assert len(set(found)) == len(found)


def test_chosen_rows():
    words = ["names=stvit_video_deit_tiny", "generate_at=2", "num_tokens=16,1x2x2", "reducers=semantic"]
    assert labels(*words, "peers=x3d_m") == [
        "video_deit_tiny, joint",
        "stvit_video_deit_tiny, after 2, 16 tokens",
        "stvit_video_deit_tiny, after 2, 1x2x2 tokens",
        "x3d_m (pytorchvideo)",
    ]
    assert labels("names=", "peers=timm_deit_tiny") == ["deit_tiny", "timm_deit_tiny (timm)"]
    rows = rows_of(MODELS.parse(["models", "names=deit_tiny", "peers=none", "image_size=32x48"]))
    assert [row.input_size for row in rows] == [(32, 48)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["names=deit_tyni"], "error: .*'deit_tyni'"),
        (["names=", "peers=none"], "error: there is nothing to measure"),
        (["peers=swin3d_x"], "error: peers='swin3d_x'"),
        (["reducers=none"], "error: reducers='none' must be one of .*semantic"),
        (["precision=fp16"], "error: precision='fp16' must be one of fp32, bf16"),
        (["generate_at=0"], "error: generate_at='0' .*at least 1"),
        (["batch_size=1,,2"], "error: batch_size='1,,2'"),
        (["precision=int8", "backend=eager,onnx"], "error: precision=int8 is none of backend=eager,onnx: "),
        (["backend=eager,onnx", "--train"], "error: backend=onnx runs no training steps"),
        (["preset=deployed", "precision=bf16"], "error: preset and precision exclude each other"),
        (["preset=deploy"], "error: preset='deploy' must be one of deployed"),
    ],
)
def test_wrong_settings_are_one_line(words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["models", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert re.match(told, err)
    assert list(tmp_path.iterdir()) == []


SMALL = ("image_size=32", "rounds=2", "seconds=0.01", "names=stvit_deit_tiny", "peers=none", "reducers=semantic")


def test_a_run_from_words_to_files(in_this_process, tmp_path, capsys):
    words = [*SMALL, "generate_at=1,99", "batch_size=2,1", f"out={tmp_path}"]
    assert main(["models", *words]) == 0
    out, err = capsys.readouterr()
    for text in (
        "Images, fp32, eager, batch 1",
        "Images, fp32, eager, batch 2",
        "forward passes, turn by turn, 2 rounds",
    ):
        assert text in out
    assert "stvit_deit_tiny, after 99: " in out  # a place that is too deep is a row that says so
    assert err.count("round 2 of 2") == 1 + 3
    content = json.loads((tmp_path / "models.json").read_text())
    rows = {(row["label"], row["precision"], row["batch_size"]): row for row in content["rows"]}
    assert len(rows) == 3 * 2
    ours, dense = rows["stvit_deit_tiny, after 1", "fp32", 1], rows["deit_tiny", "fp32", 1]
    assert ours["ratio"] == pytest.approx(dense["cpu_seconds_min"] / ours["cpu_seconds_min"])
    assert ours["gmacs"] < dense["gmacs"]
    assert len(ours["passes"]["cpu_seconds"]) >= 6
    assert ours["latency_p95"] >= ours["latency_p50"] > 0
    assert "99" in rows["stvit_deit_tiny, after 99", "fp32", 1]["failure"]
    assert (tmp_path / "images_fp32_eager_batch_1.png").is_file()


def test_exported_models(in_this_process, monkeypatch, tmp_path, capsys):
    run_graphs_in_torch(monkeypatch)
    words = ["generate_at=1", "batch_size=1", "backend=eager,openvino", "precision=fp32,int8", f"out={tmp_path}"]
    monkeypatch.setattr(row_graph, "_quantiser", lambda graph, size: None)
    assert main(["models", *SMALL, *words, "rounds=1"]) == 0
    out = capsys.readouterr().out
    assert "\nnot measured, as there is none: eager int8\n" in out
    for title in (
        "Images, fp32, openvino, batch 1",
        "Images, int8, openvino, batch 1",
        "Images, all backends and precis",
    ):
        assert out.count(title) == 1
    rows = json.loads((tmp_path / "models.json").read_text())["rows"]
    assert len(rows) == 2 * 3
    assert not any(row["failure"] for row in rows)
    assert all((row["logit_difference"] is None) == (row["backend"] == "eager") for row in rows)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", *[".png"] * 3]  # the graphs are gone


def test_the_rows_of_a_preset_have_the_size_that_is_asked_for():
    ways = chosen_ways(MODELS.parse(["models", "preset=deployed", "num_frames=4", "image_size=32x64"]))
    assert {way.row.input_size for way in ways} == {(4, 32, 64), (32, 64)}
    assert {way.backend for way in ways} == {"eager", "onnx", "openvino"}


def test_training_steps(in_this_process, tmp_path, capsys):
    assert (
        main(["models", *SMALL, "generate_at=1", "batch_size=2", f"out={tmp_path}", "precision=bf16", "--train"]) == 0
    )
    assert "Images, training steps, bf16, eager, batch 2" in capsys.readouterr().out


def test_where_nothing_can_be_measured_the_status_says_so(in_this_process, tmp_path, capsys):
    assert main(["models", *SMALL[1:], "image_size=33", "generate_at=1", f"out={tmp_path}"]) == 1
    assert "failed" in capsys.readouterr().out
