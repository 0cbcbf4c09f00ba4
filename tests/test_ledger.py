"""`python -m stvit_video.ledger`: what it prints against the functions behind it, and errors in one line."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stvit_video.evaluation.ledger.eval_ledger import Ledger, LedgerInfo, make_ledger
from stvit_video.evaluation.ledger.offline import evaluate_ledger
from stvit_video.evaluation.ledger.parquet import write_ledger
from stvit_video.evaluation.multiview import MultiViewResult
from stvit_video.ledger import COMMAND, main

LABELS = (2, 0, 1, 2, 0, 2, 0)


def make(*, multi_label: bool = False) -> Ledger:
    """7 videos of 4 clips x 3 crops, video 4 missing; no video that is used has class 1."""
    used = torch.tensor([0, 1, 3, 5, 6])
    generator = torch.Generator().manual_seed(0)
    result = MultiViewResult(
        view_logits=torch.randn(5, 12, 3, generator=generator) + 2 * torch.eye(3)[[2, 0, 2, 2, 0]][:, None],
        labels=torch.tensor(LABELS)[used],
        indices=used,
        clip_starts_seconds=torch.rand(5, 12, generator=generator, dtype=torch.float64),
        crops=torch.tensor([0, 1, 2]).repeat(4).expand(5, 12),
        errors={4: "v4.mp4: no such file", 2: "v2.mp4: it holds no video"},
    )
    info = LedgerInfo(
        classes=("jump, high", "run", "sit"),
        model="stvit_video_deit_small",
        protocol={"num_clips": 4, "num_crops": 3, "average": "prob", "name": "mmaction"},
        preprocessing={"short_side": 224},
        multi_label=multi_label,
        commit="abc123",
    )
    labels = [(label,) for label in LABELS]
    return make_ledger(result, video_ids=[f"v{n}.mp4" for n in range(7)], labels=labels, info=info)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_ledger(make(), tmp_path / "my ledger.parquet")


def test_the_whole_ledger(path, capsys):
    assert main([str(path)]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    evaluation = evaluate_ledger(make())
    assert lines[0] == evaluation.line
    assert lines[0].endswith("(5 of 7 videos, 4 clips x 3 crops, softmax averaged, short side 224, protocol mmaction)")
    assert lines[1] == f"{evaluation.interval_line}  (95% of 1000 resamples of the videos)"
    assert lines[2] == "model stvit_video_deit_small, 3 classes, 4 x 3 views of each video stored, commit abc123"
    assert len(lines) == 3
    assert err.splitlines() == [
        "2 of 7 videos could not be read:",
        "  v2.mp4: it holds no video",
        "  v4.mp4: no such file",
        f"{path} names each, in the column error",
    ]


def test_another_protocol_with_a_table_of_the_classes(path, tmp_path, capsys):
    options = ["average=logit", "clips=0,2", "crops=1", "by=class", "resamples=0"]
    assert main([str(path), *options, "top=1,2", f"csv={tmp_path}/classes.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    evaluation = evaluate_ledger(make(), clips=(0, 2), crops=(1,), average="logit", top_k=(1, 2), num_resamples=0)
    assert lines[0] == evaluation.line
    assert lines[0].startswith("top-1 ")
    assert lines[0].endswith("short side 224, protocol mmaction, clips 0 2 of 0..3, crops 1 of 0..2)")
    jump, _, sit = (one.value for one in evaluation.per_class)
    assert lines[2:] == [
        "class       videos  accuracy",
        f"jump, high       2     {jump:.3f}",
        "run              0         -",
        f"sit              3     {sit:.3f}",
    ]
    with (tmp_path / "classes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["class", "num_videos", "accuracy"],
        ["jump, high", "2", f"{jump:.6f}"],
        ["run", "0", ""],
        ["sit", "3", f"{sit:.6f}"],
    ]


def test_several_labels(tmp_path, capsys):
    path = write_ledger(make(multi_label=True), tmp_path / "l.parquet")
    assert main([str(path), "by=class"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mAP ")
    assert "sigmoid averaged" in out
    assert "class       videos  average_precision" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        # the whole sentence, once for its family
        (["clips=0,4"], "error: clip 4 is not stored; the ledger holds clip 0, 1, 2, 3 of each video\n"),
        (["crops=a"], "error: crops='a' .*0,2"),
        (["average=sum"], "error: average='sum' .*prob, logit"),
        (["resamples=-1"], "error: resamples='-1' .*at least 0"),
        (["confidence=95"], "error: confidence='95' .*between 0 and 1"),
        (["confidence=1"], "error: confidence=1.0 .*between 0 and 1"),
        (["top=0"], "error: top='0' .*from 1 on"),
        (["clip=0"], "error: clip is no setting; .*clips"),
        (["csv=/no/such/folder/c.csv"], r"error: /no/such/folder/.* \(No such file or directory\)"),
    ],
)
def test_errors_are_one_line(path, capsys, options, message):
    assert main([str(path), *options]) == (1 if options[0].startswith("csv") else 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.match(message, err), err
    assert err.count("\n") == 1


def test_a_damaged_file_from_the_command_line(tmp_path):
    damaged = tmp_path / "d.parquet"
    damaged.write_bytes(b"PAR1 and nothing more")
    run = subprocess.run(
        [sys.executable, "-m", "stvit_video.ledger", str(damaged)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert re.match(rf"error: {damaged} .*no Parquet file \(", run.stderr)
    assert run.stderr.count("\n") == 1


def test_options_of_before_mean_the_same():
    old = ["--average", "logit", "--clips", "0,2", "--crops=1", "--by", "class", "--resamples", "0", "--top", "1,2"]
    new = ["average=logit", "clips=0,2", "crops=1", "by=class", "resamples=0", "top=1,2"]
    rest = ["--confidence=0.5", "--seed", "-3", "--csv", "c.csv"]
    assert COMMAND.parse(["l", *old, *rest]) == COMMAND.parse(["l", *new, "confidence=0.5", "seed=-3", "csv=c.csv"])
