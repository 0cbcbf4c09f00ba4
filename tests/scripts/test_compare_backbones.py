"""scripts/compare_backbones.py: its table."""

from functools import partial

from stvit_video.models.factory import create_model


def test_a_row_for_each_backbone(script, capsys, monkeypatch):
    small = {"embed_dim": 8, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}
    monkeypatch.setattr(script, "create_model", partial(create_model, **small))
    assert script.main(["size=tiny", "image_size=96x64", "rounds=1"]) == 0
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines[2:]] == ["swin_tiny", "stvit_r_swin_tiny", "stvit_r_swin_tiny, windowed"]
    assert {len(line) for line in lines[2:]} == {5}


def test_rows_are_compared_with_the_first(script):
    rows = script.table({"a": 8.0, "b": 5.0}, {"a": 2.0, "b": 3.0}).splitlines()[2:]
    assert rows == ["| a | 8.00 | +0.0% | 2.00 | 1.00 |", "| b | 5.00 | -37.5% | 3.00 | 1.50 |"]


def test_the_quickest_turn_counts_and_the_first_does_not(script, monkeypatch):
    clock = iter([0, 0, 1, 9, 9, 14, 14, 16, 16, 20])  # counted turns of a: 5, 4; of b: 2, 4
    monkeypatch.setattr(script.time, "process_time", lambda: next(clock))
    assert script.quickest({"a": int, "b": int}, rounds=2) == {"a": 2, "b": 4}
