"""The command: bundles that load and answer as the checkpoint, what it prints, and mistakes."""

import json
import os
import re
import shutil
import signal

import numpy as np
import pytest

from stvit_video import export as command
from stvit_video.bundles.bundle_folder import read_bundle
from stvit_video.bundles.bundle_recognizer import load_bundle
from stvit_video.bundles.stream_pair import open_clip_graph
from stvit_video.inference.recognizer import load_recognizer


@pytest.fixture
def run(tiny_run, tmp_path):
    folder = tmp_path / "a run"
    folder.mkdir()
    shutil.copy(tiny_run.checkpoint, folder / "best.ckpt")
    return folder


def exported(capsys, run, *words):
    """Export by the command; what it prints, in lines."""
    assert command.main([f"ckpt_path={run}", *words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out.splitlines()


def compared(folder, checkpoint, video, *, atol, **settings):
    """The labels of a video by a bundle and by the checkpoint."""
    bundle, trained = load_bundle(folder), load_recognizer(checkpoint, device="cpu", **settings)
    np.testing.assert_allclose(bundle.logits(video), trained.logits(video), atol=atol)
    assert bundle(video).labels == trained(video).labels


def test_a_bundle_by_the_command(run, tiny_run, capsys):
    told = exported(capsys, run, "format=torch_export")
    out = run / "bundle_torch_export"
    assert told[0] == (
        "bundle.json, card.md, clip.pt2, golden.npz, labels.txt, preprocessing.json, speed.json are in " + str(out)
    )
    assert re.fullmatch(r"stvit_video_deit_tiny as torch_export in fp32: graph 0\.\d\d MB, all 0\.\d\d MB", told[1])
    assert re.match(r"torch \S+ is off by \S+ of PyTorch's logits in fp32, allowed is 0\.001", told[2])
    assert told[3].startswith("1 thread: torch ")
    rows = json.loads((out / "speed.json").read_text())["rows"]
    assert [row["way"] for row in rows[:2]] == [told[3].split()[2] + " " + told[3].split()[3], "PyTorch eager"]
    compared(out, run / "best.ckpt", tiny_run.videos[0], atol=1e-4)


def test_a_checkpoint_by_the_command(run, capsys):
    (line,) = exported(capsys, run, "format=checkpoint")
    assert line == f"README.md, config.yaml, labels.json, model.safetensors are in {run / 'export'}"
    (line,) = exported(capsys, run / "best.ckpt", "format=checkpoint", f"out={run / 'again'}")
    assert line.endswith(str(run / "again"))


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["format=checkpoint", "num_tokens=2"], 2, "num_tokens is no setting of format=checkpoint"),
        (["format=checkpoint", "speed=false", "calibration=x"], 2, "calibration is no setting of format=checkpoint"),
        (["format=onnx", "calibration_clips=3"], 2, "calibration_clips is no setting of precision=fp32, but of int8"),
        (["format=torch_export", "precision=bf16"], 2, "precision=bf16 is none of format=torch_export"),
        (["format=tflite"], 2, "format='tflite' must be one of torch_export, onnx"),
        (["format=torch_export", "num_tokens=5000"], 2, "5000"),
        (["format=torch_export", "num_frames=7"], 2, "num_frames=7 .*give num_frames=6 or num_frames=8"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(run, capsys, words, status, message):
    before = sorted(run.rglob("*"))
    assert command.main([f"ckpt_path={run}", *words]) == status
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert re.search(message, told.err), told.err
    assert sorted(run.rglob("*")) == before


def test_sigterm_ends_an_export_that_leaves_nothing(run, monkeypatch):
    before = sorted(run.rglob("*"))
    monkeypatch.setattr(
        "stvit_video.exporting.write_bundle._write_graphs", lambda *given: os.kill(os.getpid(), signal.SIGTERM)
    )
    with pytest.raises(SystemExit) as ended:
        command.main([f"ckpt_path={run}", "format=torch_export"])
    assert ended.value.code == 143
    assert sorted(run.rglob("*")) == before


@pytest.mark.deploy
@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_bundles_of_other_runtimes(run, tiny_run, capsys, format):
    told = exported(capsys, run, f"format={format}", "num_tokens=1x2x2", "crop_size=16", "speed=false")
    assert re.match(rf"{format}\S* \S+ is off by ", told[2])
    out = run / f"bundle_{format}"
    compared(out, run / "best.ckpt", tiny_run.videos[0], atol=1e-3, num_tokens=(1, 2, 2))
    assert load_bundle(out, num_threads=1).classes == ("a, comma", "jump", "run")


@pytest.mark.deploy
def test_8_bits_are_calibrated_on_the_training_list(run, tiny_run, capsys):
    told = exported(capsys, run, "format=openvino", "precision=int8", "calibration_clips=2", "speed=false", "keep=head")
    assert told[0] == "8 bits are calibrated on 2 of 3 videos"
    compared(run / "bundle_openvino", run / "best.ckpt", tiny_run.videos[0], atol=1.0)


@pytest.mark.deploy
@pytest.mark.slow
def test_8_bits_are_calibrated_on_other_videos(run, tiny_run, capsys):
    video = tiny_run.videos[1]
    words = [f"out={run / 'other'}", f"calibration={video}", "speed=false"]
    told = exported(capsys, run, "format=openvino", "precision=int8", *words)
    assert told[0] == "8 bits are calibrated on 1 of 1 video"


@pytest.mark.deploy
def test_two_graphs_for_streams_in_8_bits(run, tiny_run, capsys):
    words = ["streaming=true", f"calibration={tiny_run.videos[1]}", "speed=false", f"out={run / 'stream_int8'}"]
    exported(capsys, run, "format=openvino", "precision=int8", *words)
    found = read_bundle(run / "stream_int8")
    assert all("FakeQuantize" in path.read_text() for path in found.graph_paths.values())
    graph = open_clip_graph(found.graph_paths, format="openvino", precision="int8", frames_per_step=2, num_threads=1)
    golden = found.golden()
    assert 1e-4 < golden.largest_difference(graph(golden.frames)) < 0.5 * np.abs(golden.logits).max()


@pytest.mark.deploy
@pytest.mark.parametrize("format", [pytest.param("torch_export", marks=pytest.mark.slow), "onnx"])
def test_two_graphs_for_streams(run, capsys, format):
    exported(capsys, run, f"format={format}", "streaming=true", "speed=false")
    found = read_bundle(run / f"bundle_{format}")
    assert (sorted(found.graph_paths), found.frames_per_step) == (["decide", "encode"], 2)
    graph = open_clip_graph(
        found.graph_paths, format=format, precision="fp32", frames_per_step=found.frames_per_step, num_threads=1
    )
    golden = found.golden()
    assert golden.largest_difference(graph(golden.frames)) < 1e-4
