"""scripts/stream_speed.py: its bound against multiply-adds counted by hand, its table and its file."""

import csv

import pytest
import torch
from short_models import short_model


def test_a_row_for_each_setting_and_the_same_in_the_file(script, tmp_path, capsys):
    out = tmp_path / "speed.csv"
    small = ["name=stvit_video_deit_tiny", "num_frames=4", "image_size=32", "rounds=1", f"out={out}"]
    assert script.main([*small, "generate_at=2,1", "num_tokens=4,2"]) == 0
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert tuple(lines[0]) == script.HEADS
    assert [line[:2] for line in lines[2:]] == [["4", "2"], ["2", "2"], ["4", "1"], ["2", "1"]]
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    for row, line in zip(rows, lines[2:], strict=True):
        bound = float(row["window_gmacs"]) / float(row["step_gmacs"])
        ratio = float(row["window_ms"]) / float(row["step_ms"])
        assert (float(row["bound"]), float(row["ratio"])) == pytest.approx((bound, ratio))
        assert [f"{bound:.2f}", f"{ratio:.2f}", f"{ratio / bound:.0%}"] == [line[4], line[7], line[8]]
        assert (row["model"], row["num_threads"]) == ("stvit_video_deit_tiny", "1")
        assert row["hardware"]
        assert bound > 1


@pytest.mark.parametrize("name", ["stvit_video_deit_tiny", "stvit_video_casvit_xs"])
def test_a_step_costs_what_a_window_does_but_for_the_frames_that_are_known(script, name):
    model = short_model(name)
    size, step = (16, 2) if "deit" in name else (64, 1)
    cost = script.costs_in_macs(model, torch.zeros(3, 4, size, size))
    encode = script.count_gmacs(script.Half(model, script.encode_steps), (3, step, size, size))
    assert cost.window_gmacs - cost.step_gmacs == pytest.approx((4 / step - 1) * encode)
    assert encode > 0
