"""stream: its arguments, its files against the model called by hand, and what is refused."""

import csv
import json
import re
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from eval_crops import eval_crops
from made_steps import made_run, made_steps
from stamped_video import timed_video
from stream_servers import Sent, http_served

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.stream import COMMAND, main
from stvit_video.streaming.event_tracks import read_event_records
from stvit_video.streaming.events import EventRules, decide
from stvit_video.streaming.step_table import read_steps

STRIDE = 4  # of the model's frames, which are every second one of the file


def by_hand(video, model):
    """Times and probabilities of every window: of 25 frames the model sees 13, in windows of 4."""
    with av.open(str(video)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    preprocessing = Preprocessing(
        num_frames=4, frame_stride=2, short_side=20, crop_size=16, mean=(0.5,) * 3, std=(0.25,) * 3
    )
    ends = range(6, 25, 2 * STRIDE)
    clips = [torch.from_numpy(frames[end - 6 : end + 1 : 2]) for end in ends]
    with torch.no_grad():
        return [end / 10 for end in ends], [model(eval_crops(clip, preprocessing))[0].softmax(-1) for clip in clips]


def test_arguments():
    wanted = COMMAND.parse(["ckpt_path=a=b.ckpt", "source=rtsp://u:p@h/x?y=1", "out=seen", "--leave", "0.2"])
    assert (wanted.source, wanted.stride_frames, wanted.target_fps) == ("rtsp://u:p@h/x?y=1", 4, None)
    assert (wanted.enter, wanted.leave, wanted.smoothing, wanted.on_late) == (0.5, 0.2, "mean", "drop")
    assert COMMAND.parse(["bundle=b", "source=0"]).source == "0"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ckpt_path=x"], "source is missing; give source=0"),
        (["source=0"], "ckpt_path is missing; .* bundle="),
        (["ckpt_path=x", "bundle=y", "source=0"], "bundle and ckpt_path exclude"),
        (["ckpt_path=x", "source=0", "on_late=skip"], "on_late='skip' .*drop, wait"),
        (["ckpt_path=x", "source=0", "enter=0.3", "leave=0.4"], "leave=0.4 is above enter=0.3"),
        (["ckpt_path=x", "source=0", "enter=0"], "enter=0"),
        (["ckpt_path=x", "source=0", "num_threads=2"], "num_threads=2 is for bundles"),
        (["bundle=x", "source=0", "gmacs=4"], "gmacs is no setting"),
        (["bundle=x", "source=0"], "there is no x; give a folder"),
    ],
)
def test_wrong_settings(arguments, told, capsys):
    assert main(arguments) == 2
    assert re.search(told, capsys.readouterr().err)


@pytest.fixture(scope="module")
def seen(tiny_run, tmp_path_factory):
    """The folder of a whole run over the first video, with events of every likeliest class."""
    out = tmp_path_factory.mktemp("stream") / "seen"
    words = [f"ckpt_path={tiny_run.checkpoint}", f"source={tiny_run.videos[0]}", f"out={out}", "device=cpu"]
    assert main([*words, "enter=0.01", "leave=0.01", "min_seconds=0", "smoothing=ema", "smoothing_seconds=0.2"]) == 0
    return out


def test_steps_are_what_the_model_says_of_these_windows(seen, tiny_run):
    times, shares = by_hand(tiny_run.videos[0], tiny_run.model)
    classes, steps = read_steps(seen / "steps.csv")
    assert classes == ("a, comma", "jump", "run")
    assert [step.seconds for step in steps] == pytest.approx(times)
    assert [step.window[0] for step in steps] == pytest.approx([time - 0.6 for time in times])
    found = torch.from_numpy(np.stack([step.probabilities for step in steps]))
    torch.testing.assert_close(found, torch.stack(shares), atol=1e-5, rtol=0)
    with (seen / "steps.csv").open(newline="") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    assert labels == [classes[int(one.argmax())] for one in shares]


def test_events_are_those_that_are_decided_offline(seen):
    rules = EventRules(enter=0.01, leave=0.01, min_seconds=0, smoothing="ema", smoothing_seconds=0.2)
    classes, steps = read_steps(seen / "steps.csv")
    offline = {event.start_seconds: event for event in decide(steps, classes=classes, rules=rules)}
    records = read_event_records(seen / "events.jsonl")
    assert records
    assert [(one["label"], one["end_seconds"]) for one in records] == [
        (e.label, e.end_seconds) for e in offline.values()
    ]
    assert (seen / "events.vtt").read_text().count(" --> ") == len(records)


def test_the_report_and_the_picture(seen, tiny_run):
    report = json.loads((seen / "stream.json").read_text())
    assert report["source"] == str(tiny_run.videos[0])
    assert (report["num_steps"], report["frames_read"], report["frames_chosen"]) == (3, 25, 13)
    assert (report["frames_dropped"], report["fps"]) == (0, 5.0)
    assert report["real_time_factor"] > 0
    assert set(report["milliseconds"]) == {"decode", "queue", "preprocess", "encode", "decide", "latency"}
    assert report["made_with"]["stride_frames"] == STRIDE
    assert report["made_with"]["num_tokens"]
    assert (seen / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_of_another_stream_is_refused(seen, tiny_run, capsys):
    before = (seen / "steps.csv").read_bytes()
    assert main([f"ckpt_path={tiny_run.checkpoint}", f"source={tiny_run.videos[1]}", f"out={seen}"]) == 2
    assert f"{seen} is there already; remove it, or give another folder as out=" in capsys.readouterr().err
    assert (seen / "steps.csv").read_bytes() == before


def test_what_can_not_be_read_or_is_not_allowed(tiny_run, tmp_path, capsys):
    start = [f"ckpt_path={tiny_run.checkpoint}", f"out={tmp_path / 'out'}"]
    assert main([*start, "source=nowhere.mp4"]) == 1
    assert "nowhere.mp4" in capsys.readouterr().err
    assert main([*start, f"source={tiny_run.videos[0]}", "stride_frames=3"]) == 2
    assert "stride_frames=3 is no multiple" in capsys.readouterr().err
    assert main([*start, f"source={tiny_run.videos[0]}", "target_fps=1"]) == 1  # a window is 4 s then, the file 2.4 s
    assert capsys.readouterr().err.startswith("error: ")
    address = "http://user:hidden@127.0.0.1:9/x.ts?token=secret"
    assert main([*start, f"source={address}"]) == 2
    assert main([*start, f"source={address}", "allow_addresses=true", "timeout_seconds=1", "max_reconnects=0"]) == 1
    told = capsys.readouterr()
    assert "127.0.0.1" in told.err
    assert "allow_addresses=true" in told.err
    assert not re.search("hidden|secret", told.out + told.err)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_no_line_and_no_file_has_the_secrets_of_an_address(tiny_run, tmp_path, capfd):
    stamps = [round(number * 1000 / 15) for number in range(40)]
    data = timed_video(tmp_path / "yard.ts", stamps).read_bytes()
    with http_served(Sent(data, length=True, user="someone:hidden")) as address:
        source = f"{address.replace('//', '//someone:hidden@')}/yard.ts?token=secret"
        words = [f"ckpt_path={tiny_run.checkpoint}", f"source={source}", f"out={tmp_path / 'out'}", "device=cpu"]
        assert main([*words, "allow_addresses=true"]) == 0
    told = capfd.readouterr()
    assert f"of {address}/yard.ts" in told.out
    texts = [told.out.encode(), told.err.encode(), *(path.read_bytes() for path in (tmp_path / "out").iterdir())]
    assert len(texts) == 7
    assert not [text for text in texts if re.search(b"someone|hidden|secret", text)]
    assert json.loads((tmp_path / "out" / "stream.json").read_text())["source"].startswith(f"{address}/yard.ts")


def test_the_bell_of_the_guide(capsys):
    page = (Path(__file__).parents[1] / "docs" / "guides" / "stream.md").read_text(encoding="utf-8")
    text = page[page.index("# bell.py") :].split("```")[0]
    assert sum(bool(line.strip()) for line in text.splitlines()) <= 15
    bell = {"__name__": "bell"}
    exec(compile(text, "bell.py", "exec"), bell)
    falls = [*[0.1] * 8, *[0.95] * 12, *[0.1] * 8, *[0.95] * 3, *[0.1] * 40]  # the second one is over too soon
    asked = []

    class Watching:
        classes, multi_label = ("fall", "walk"), False

        def run(self, source, *, allow_addresses):
            asked.append((source, allow_addresses))
            return made_run(made_steps(np.stack([falls, 1 - np.array(falls)], axis=1)))[0]

    bell["ring"](Watching(), "rtsp://camera/yard", "fall")
    assert asked == [("rtsp://camera/yard", True)]
    assert re.fullmatch(r"\afall since \d\.\d s\n", capsys.readouterr().out)
