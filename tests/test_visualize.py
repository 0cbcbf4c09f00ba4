"""visualize: its arguments, the folder that it makes, what it tells, and what is refused."""

import os
import re
import signal
import threading

import numpy as np
import pytest
import torch
from page_checks import page_faults

from stvit_video import visualize
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.visualize import COMMAND, main

FILES = ["class_map.mp4", "report.html", "sheet.png", "timeline.png", "tubes.mp4"]


def test_arguments():
    given = COMMAND.parse(["ckpt_path=a=b.ckpt", "c d.mp4", "--label", "run", "max_clips=2", "num_tokens=1x2x2"])
    assert (str(given.ckpt_path), str(given.video), given.label, given.max_clips) == ("a=b.ckpt", "c d.mp4", "run", 2)
    assert given.out is None


@pytest.fixture(scope="module")
def seen(tiny_run, tmp_path_factory):
    """The folder of a run over the second video, and what was printed."""
    out = tmp_path_factory.mktemp("visualize") / "seen"
    with pytest.MonkeyPatch.context() as patch:
        told = []
        patch.setattr("builtins.print", lambda *words, **_: told.append(" ".join(map(str, words))))
        words = [
            f"ckpt_path={tiny_run.checkpoint}",
            str(tiny_run.videos[1]),
            f"out={out}",
            "device=cpu",
            "num_tokens=1x2x2",
        ]
        assert main(words) == 0
    return out, "\n".join(told)


def test_the_folder_has_all_files_and_nothing_stays_beside_it(seen):
    out, told = seen
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert [path.name for path in out.parent.iterdir()] == ["seen"]
    assert f"and report.html are in {out}" in told


def test_label_and_probability_are_those_of_predict(seen, tiny_run):
    prediction = load_recognizer(tiny_run.checkpoint, device="cpu")(tiny_run.videos[1], top_k=1)
    label, probability = re.search(r"c d\.mp4: (.*), probability (.*)", seen[1]).groups()
    assert label == prediction.labels[0]
    assert float(probability) == pytest.approx(prediction.probabilities[0], abs=0.00051)


def test_softness_and_agreement_are_told(seen):
    assert "4 tokens generated after 1 of 4 blocks of stvit_video_deit_tiny" in seen[1]
    assert re.search(r"assignment \d\.\d\d of even", seen[1])
    assert "correlation of contribution and occlusion" in seen[1]


def test_the_page_says_how_it_was_made(seen, tiny_run):
    page = (seen[0] / "report.html").read_text()
    assert page_faults(page) == []
    assert "python -m stvit_video.visualize" in page
    assert "num_tokens=1x2x2" in page
    assert re.search(r"best\.ckpt, digest [0-9a-f]{16}<", page)


def test_a_label_by_its_number_is_the_label_of_the_maps(tiny_run, tmp_path, capsys):
    words = [f"ckpt_path={tiny_run.checkpoint}", str(tiny_run.videos[0]), "device=cpu", "max_clips=1", "label=2"]
    assert main([*words, f"out={tmp_path / 'seen'}"]) == 0
    told = capsys.readouterr()
    assert "a, b.mp4: run, probability" in told.out
    likeliest = load_recognizer(tiny_run.checkpoint, device="cpu")(tiny_run.videos[0], top_k=1).labels[0]
    assert ("not the likeliest one" in told.err) == (likeliest != "run")


def test_without_out_the_folder_has_the_name_of_the_video(tiny_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(visualize, "video_tokens", lambda *_, **__: None)
    monkeypatch.setattr(visualize, "write_token_files", lambda *_, **__: (["a", "b"], []))
    monkeypatch.setattr(visualize, "_tell", lambda *_: None)
    words = [f"ckpt_path={tiny_run.checkpoint}", "device=cpu", "--", str(tiny_run.videos[2])]
    assert main(words) == 0
    assert capsys.readouterr().out == "a and b are in outputs/visualize/e=f\n"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["{ckpt}", "{video}", "label=sit"], 2, "label='sit' is none of the 3 labels"),
        (["{ckpt}", "{video}", "max_clips=0"], 2, "max_clips='0'"),
        (["{ckpt}", "{video}", "layer=2"], 2, "layer=2"),
        (["{ckpt}", "{video}", "num_tokens=5x5"], 2, "num_tokens"),
        (["{ckpt}", "{text}"], 1, "text.mp4"),
        (["{ckpt}", "no.mp4"], 1, "no.mp4"),
        (["{ckpt}"], 2, "VIDEO is missing"),
        (["{ckpt}", "{video}", "{video}"], 2, "2 words are given for VIDEO"),
        (["ckpt_path=no.ckpt", "{video}"], 2, "no.ckpt"),
        (["{ckpt}", "{video}", "out={used}"], 2, "is there already; remove it, or give another folder"),
    ],
)
def test_what_is_refused_leaves_nothing(tiny_run, tmp_path, monkeypatch, capsys, words, status, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    names = {
        "ckpt": f"ckpt_path={tiny_run.checkpoint}",
        "video": tiny_run.videos[0],
        "text": "text.mp4",
        "used": "used",
    }
    before = sorted(tmp_path.rglob("*"))
    assert main(["device=cpu", *(word.format(**names) for word in words)]) == status
    error = capsys.readouterr().err
    assert re.search(re.escape(told), error)
    assert error.startswith("error: ")
    left = [path for path in sorted(tmp_path.rglob("*")) if path not in before]
    assert left in ([], [tmp_path / "outputs"], [tmp_path / "outputs", tmp_path / "outputs" / "visualize"])


def test_a_bundle_and_a_missing_library_are_told(tiny_run, tmp_path, monkeypatch, capsys):
    (tmp_path / "bundle.json").write_text("{}")
    video = str(tiny_run.videos[0])
    assert main([f"ckpt_path={tmp_path}", video]) == 2
    assert "bundle" in capsys.readouterr().err

    def absent(name, **words):
        raise MissingLibraryError(f"{words['needed_for']} needs the library {name!r}")

    monkeypatch.setattr(visualize, "load_optional", absent)
    assert main([f"ckpt_path={tiny_run.checkpoint}", video, f"out={tmp_path / 'seen'}", "device=cpu"]) == 1
    assert "stvit_video.visualize needs the library 'jinja2'" in capsys.readouterr().err


def test_nan_is_a_sentence(tiny_run, tmp_path, capsys):
    content = torch.load(tiny_run.checkpoint, weights_only=True)
    for key, tensor in content["state_dict"].items():
        if key.endswith("head.bias"):
            tensor.fill_(np.nan)
    torch.save(content, tmp_path / "nan.ckpt")
    assert main([f"ckpt_path={tmp_path / 'nan.ckpt'}", str(tiny_run.videos[0]), f"out={tmp_path / 'seen'}"]) == 1
    assert "NaN" in capsys.readouterr().err
    assert not (tmp_path / "seen").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(tiny_run, tmp_path, monkeypatch, capsys, number, status):
    def interrupted(folder, *_, **__):
        (folder / "half.mp4").touch()
        os.kill(os.getpid(), number)
        threading.Event().wait(10)

    monkeypatch.setattr(visualize, "video_tokens", lambda *_, **__: None)
    monkeypatch.setattr(visualize, "write_token_files", interrupted)
    words = [f"ckpt_path={tiny_run.checkpoint}", str(tiny_run.videos[0]), f"out={tmp_path / 'seen'}", "device=cpu"]
    if number == signal.SIGINT:
        assert main(words) == status
    else:
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == status
    assert "stopped; nothing is written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_and_bundles_name_what_to_give(tiny_run, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.ckpt").touch()
    (tmp_path / "bundle.json").write_text("{}")
    video = str(tiny_run.videos[0])
    for given, told in (
        (tmp_path / "run", "is the folder of a run; give a checkpoint in it: "),
        (tmp_path / "bundle.json", "bundles are not shown; give the checkpoint (.ckpt) that it was exported from"),
        (tmp_path, "bundles are not shown; give the checkpoint (.ckpt) that it was exported from"),
    ):
        assert main([f"ckpt_path={given}", video, f"out={tmp_path / 'seen'}"]) == 2
        assert told in capsys.readouterr().err


def test_tokens_that_the_model_was_not_trained_for_are_told_once(tiny_run, tmp_path, capsys, recwarn):
    words = [f"ckpt_path={tiny_run.checkpoint}", str(tiny_run.videos[0]), "device=cpu", "max_clips=1", "num_tokens=1"]
    assert main([*words, f"out={tmp_path / 'seen'}", "protocol=uniform"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[1].startswith("1 token generated after")
    assert told.err.count("not trained for") + told.err.count("Not trained for") == 1
    assert "nearly a grid" not in told.err
    assert [str(one.message) for one in recwarn if "generate_at=" in str(one.message)] == []
    page = (tmp_path / "seen" / "report.html").read_text()
    assert "Not trained for 1 token, but for 4. Labels may be worse." in page
    assert f"{tiny_run.checkpoint.parent.parent}/" not in page.split("<dt>Checkpoint</dt>")[1].split("</dd>")[0]


@pytest.mark.parametrize("stem", ["手" * 80, "a" * 250])
def test_a_long_name_of_a_video_is_cut(tiny_run, tmp_path, monkeypatch, capsys, stem):
    monkeypatch.chdir(tmp_path)
    name = f"{stem}.mp4"
    (tmp_path / name).write_bytes(tiny_run.videos[0].read_bytes())
    monkeypatch.setattr(visualize, "write_token_files", lambda *_, **__: (["a", "b"], []))
    main([f"ckpt_path={tiny_run.checkpoint}", name, "device=cpu", "max_clips=1"])
    told = capsys.readouterr()
    assert [path.name for path in (tmp_path / "outputs" / "visualize").iterdir()] == [
        stem[: 120 // len(stem[0].encode())]
    ]
    assert told.out.splitlines()[-1].endswith(f"outputs/visualize/{stem[: 120 // len(stem[0].encode())]}")
