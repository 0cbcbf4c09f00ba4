"""predict: its arguments, and its figures against the model called by hand."""

import json
import re
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from eval_crops import eval_crops
from evaluating import evaluate

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.ledger.parquet import read_ledger
from stvit_video.predict import COMMAND, main


def test_arguments() -> None:
    wanted = COMMAND.parse(["ckpt_path=a=b.ckpt", "x y.mp4", "top_k=3", "num_crops=1", "--", "c=d.mp4", "-e.mp4"])
    assert wanted.ckpt_path == Path("a=b.ckpt")
    assert wanted.files == ("x y.mp4", "c=d.mp4", "-e.mp4")
    assert (wanted.top_k, wanted.num_clips, wanted.num_crops, wanted.average) == (3, None, 1, None)
    assert (wanted.protocol, wanted.threshold) == (None, None)
    named = COMMAND.parse(["ckpt_path=x", "protocol=mvit", "threshold=.25", "a.mp4"])
    assert (named.protocol, named.threshold) == ("mvit", 0.25)
    many = COMMAND.parse(["ckpt_path=x", "-", "./-", "num_tokens=4x2", "out=a.JSONL", "features=b.npz", "extend=true"])
    assert (many.files, many.num_tokens, many.extend, many.retry_errors) == (("-", "./-"), (4, 2), True, False)
    assert (many.out, many.features) == (Path("a.JSONL"), Path("b.npz"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ckpt_path=x", "clips=3", "a.mp4"], "clips is no setting; .*num_clips"),
        (["ckpt_path=x", "a=b.mp4"], "a is no setting; .*file .*after '--'"),
        (["ckpt_path=x", "--topk", "3"], "--topk is no setting; .*top_k"),
        (["ckpt_path=x", "top_k=0", "a.mp4"], "top_k='0' .*at least 1"),
        (["ckpt_path=x", "num_clips=two", "a.mp4"], "num_clips='two' .*whole number"),
        # the whole sentence, once for its family
        (
            ["ckpt_path=x", "threshold=1.5", "a.mp4"],
            "threshold='1.5' must be a number between 0 and 1, such as threshold=0.5$",
        ),
        (["ckpt_path=x", "threshold=half", "a.mp4"], "threshold='half' .*between 0 and 1"),
        (["ckpt_path=x", "threshold=0.5", "top_k=3", "a.mp4"], "threshold and top_k .*one"),
        (["a.mp4"], "ckpt_path is missing;"),
        (["ckpt_path=x"], "FILE is missing; .*one or more"),
        (["ckpt_path=x", "a.mp4", "features=f.npy"], r"features='f.npy' .*\.npz, .*\.csv"),
        (["ckpt_path=x", "a.mp4", "num_tokens=0"], r"num_tokens='0' .*at least 1"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=message):
        COMMAND.parse(arguments)
    assert main(arguments) == 2
    assert re.search(message, capsys.readouterr().err, re.MULTILINE)


def test_help_shows_the_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert [one.name for one in COMMAND.settings if f"  {one.name}=" not in printed] == []


def by_hand(video: Path, model: torch.nn.Module) -> torch.Tensor:
    """Probabilities (3,) of one central clip and crop: 25 frames, a clip of 4 frames at stride 2 spans 7."""
    with av.open(str(video)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    clip = torch.from_numpy(frames[[9, 11, 13, 15]])
    preprocessing = Preprocessing(
        num_frames=4, frame_stride=2, short_side=20, crop_size=16, mean=(0.5,) * 3, std=(0.25,) * 3
    )
    with torch.no_grad():
        return model(eval_crops(clip, preprocessing))[0].softmax(-1)


@pytest.mark.parametrize("average", ["prob", "logit"])
def test_one_view_equals_the_model_called_by_hand(tiny_run, tmp_path: Path, average: str) -> None:
    settings = ["device=cpu", "num_clips=1", "num_crops=1", f"average={average}"]
    files = [str(video) for video in tiny_run.videos]
    assert main([f"ckpt_path={tiny_run.checkpoint}", *settings, f"out={tmp_path / 'x.jsonl'}", "--", *files]) == 0
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    for row, video in zip(rows, tiny_run.videos, strict=True):
        expected = by_hand(video, tiny_run.model)
        assert row["path"] == str(video)
        assert row["labels"] == [("a, comma", "jump", "run")[i] for i in expected.argsort(descending=True)]
        torch.testing.assert_close(torch.tensor(row["probabilities"]), expected.sort(descending=True).values)


def test_the_command_goes_on_after_a_broken_file(tiny_run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"this is no video")
    files = [
        str(tiny_run.videos[0]),
        str(broken),
        str(tmp_path / "absent.mp4"),
        "--",
        str(tiny_run.videos[2]),
    ]
    assert main([f"ckpt_path={tiny_run.checkpoint}", "top_k=2", "device=cpu", *files]) == 1
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert [lines[0], lines[3]] == [str(tiny_run.videos[0]), str(tiny_run.videos[2])]
    assert len(lines) == 6
    assert all(re.fullmatch(r"  [01]\.\d{4}  (a, comma|jump|run)", lines[n]) for n in (1, 2, 4, 5))
    errors = printed.err.splitlines()
    assert "broken.mp4" in errors[0]
    assert any("absent.mp4" in line for line in errors)


def test_a_missing_checkpoint_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ckpt_path=nowhere.ckpt", "a.mp4"]) == 2
    assert re.match("error: .*no checkpoint file 'nowhere.ckpt'", capsys.readouterr().err)


def test_a_protocol_by_name_looks_as_evaluate_does(
    tiny_run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["device=cpu", "protocol=videoswin", "num_clips=2", "average=logit"]
    assert main([f"ckpt_path={tiny_run.checkpoint}", *options, str(tiny_run.videos[1])]) == 0
    found = {line[10:]: float(line[:10]) for line in capsys.readouterr().out.splitlines()[1:]}
    settings = {"protocol": "videoswin", "num_clips": 2, "average": "logit", "device": "cpu"}
    evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, **settings)
    result = read_ledger(tmp_path / "ledger.parquet").result
    assert result.view_logits.shape == (3, 6, 3)
    expected = result.view_logits[1].mean(0).softmax(-1)
    assert found == pytest.approx(dict(zip(("a, comma", "jump", "run"), expected.tolist(), strict=True)), abs=1e-4)
    assert main([f"ckpt_path={tiny_run.checkpoint}", "protocol=best", str(tiny_run.videos[1])]) == 2
    assert re.search("protocol='best' .*uniform, single", capsys.readouterr().err)


def test_a_threshold_is_for_several_labels(tiny_run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"ckpt_path={tiny_run.checkpoint}", "device=cpu", "threshold=0.5", str(tiny_run.videos[1])]) == 2
    error = "error: threshold=0.5 .*several labels a video, .*one each; .*top_k\n"
    assert re.fullmatch(error, capsys.readouterr().err)


def test_a_protocol_whose_size_the_model_can_not_take_is_one_sentence(tiny_run, capsys):
    assert main([f"ckpt_path={tiny_run.checkpoint}", "protocol=slowfast", str(tiny_run.videos[0])]) == 2
    assert re.search(r"input of size .*patches of \(2, 4, 4\)", capsys.readouterr().err)


def test_the_time_limit_can_be_set_and_its_error_names_it(tiny_run, capsys: pytest.CaptureFixture[str]) -> None:
    video = str(tiny_run.videos[0])
    assert main([f"ckpt_path={tiny_run.checkpoint}", "device=cpu", "time_limit_seconds=1e-9", video]) == 1
    assert re.search(r"time limit of 1e-09 s; .*\btime_limit_seconds\b", capsys.readouterr().err)
    assert main([f"ckpt_path={tiny_run.checkpoint}", "device=cpu", "time_limit_seconds=0", video]) == 2
    assert re.search(r"time_limit_seconds.* above 0", capsys.readouterr().err)
