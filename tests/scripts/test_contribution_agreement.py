"""scripts/contribution_agreement.py: its correlations against finite differences, its table and its file."""

import csv
import re

import numpy as np
import pytest
import torch
from short_models import short_clip, short_model

from stvit_video.token_maps.attribution import contributions, occlusions
from stvit_video.token_maps.token_site import token_site


@pytest.mark.parametrize(("name", "cells"), [("stvit_video_deit_tiny", None), ("video_deit_tiny", np.arange(32))])
def test_correlations_by_finite_differences(script, name, cells):
    model = short_model(name).double()
    site, view = token_site(model), short_clip(model).double()
    seen = site.see(view)
    tokens = seen.tokens.flatten(1, -2)
    numbers = np.arange(tokens.shape[1]) if cells is None else cells
    assert len(numbers) == tokens.shape[1]
    with torch.no_grad():
        label = int(model(view)[0].argmax())
        others = (tokens.sum(1, keepdim=True) - tokens) / (len(numbers) - 1)
        slopes = [[], []]
        for number in range(len(numbers)):
            for found, way in zip(slopes, (tokens, tokens - others), strict=True):
                step = torch.zeros_like(tokens)
                step[:, number] = 1e-5 * way[:, number]
                found.append(float((site.logits(tokens + step, seen) - site.logits(tokens - step, seen))[0, label]))
    drawn = contributions(site, seen, label=label, numbers=numbers)
    lost = occlusions(site, seen, label=label, numbers=numbers)
    expected = [np.corrcoef(values, lost)[0, 1] for values in (*slopes, drawn)]
    assert script.correlations(site, view) == pytest.approx(expected, abs=1e-3)
    assert len({round(value, 2) for value in expected}) == 3


def test_all_ways_agree_where_the_layers_behind_are_linear(script):
    model = short_model("video_deit_tiny", base_attention="joint", depth=3)
    model.norm, model.norm_after_pool = torch.nn.Identity(), False
    assert script.correlations(token_site(model, layer=3), short_clip(model)) == pytest.approx((1, 1, 1), abs=1e-4)


def test_the_table_of_correlations_by_hand(script):
    found = [(0.1, 0.5, 0.9), (None, None, None), (0.3, 0.2, 0.8), (-0.7, 0.7, 1.0)]
    rows = [row.cells()[1:] for row in script.agreements(found)]
    assert rows == [["-0.10", "0.10", "3", "3"], ["0.47", "0.50", "1", "3"], ["0.90", "0.90", "0", "3"]]
    with pytest.raises(ValueError, match="no clip has correlations; give videos that can be read"):
        script.agreements([(None, None, None)])


def test_a_row_for_each_way_and_the_same_in_the_file(script, tiny_run, tmp_path, capsys):
    (tmp_path / "no.mp4").write_bytes(b"no video")
    out = tmp_path / "agreement.csv"
    words = [f"ckpt_path={tiny_run.checkpoint}", "device=cpu", f"out={out}", "seed=3", str(tmp_path)]
    assert script.main([*words, "--", *map(str, tiny_run.videos)]) == 0
    printed = capsys.readouterr()
    assert re.fullmatch(r"left out: .*no\.mp4.*", printed.err.strip())
    first, head, _, *lines, last = printed.out.splitlines()
    assert re.match(r"stvit_\S+, generated after \d of \d blocks; a token is left out", first)
    assert last.startswith("commit ")
    assert tuple(head.strip("| ").split(" | ")) == script.HEADS
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["way"] for row in rows] == list(script.WAYS)
    for row, line in zip(rows, lines, strict=True):
        cells = [row["way"], *(f"{float(row[key]):.2f}" for key in ("mean", "median")), row["num_low"], "3"]
        assert line.strip("| ").split(" | ") == cells
        assert (row["num_clips"], row["seed"]) == ("3", "3")
        assert row["hardware"]


def test_videos_are_drawn_by_the_seed(script):
    videos = list(range(100))
    first = script.drawn(videos, max_videos=10, seed=0)
    assert first == script.drawn(videos, max_videos=10, seed=0)
    assert first != script.drawn(videos, max_videos=10, seed=1)
    assert len(set(first)) == 10
    assert sorted(script.drawn(videos, max_videos=200, seed=0)) == videos


def test_nothing_that_can_be_read_is_an_error(script, tiny_run, tmp_path, capsys):
    (tmp_path / "no.mp4").write_bytes(b"no video")
    assert script.main([f"ckpt_path={tiny_run.checkpoint}", "device=cpu", str(tmp_path / "no.mp4")]) == 2
    assert "no clip has correlations" in capsys.readouterr().err
