"""From files and iterators to steps: which frames are seen, when the window begins anew, and what is wrong in words."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from pushed_frames import NotingRecognizer
from stamped_video import SCREEN_MS, numbered_picture, timed_video
from streamed_clips import long_model

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.transforms.functional import channels_first, normalise, resize_short_side
from stvit_video.streaming.run_stream import run_stream
from stvit_video.streaming.source_frames import SourceError
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer


def constant(path, num_frames=50, rate=30, **settings):
    """Numbered frames at a constant rate, to the millisecond."""
    return timed_video(path, [round(number * 1000 / rate) for number in range(num_frames)], rate=rate, **settings)


def shown(numbers_and_times):
    """An iterator of numbered frames."""
    return ((seconds, numbered_picture(number)) for number, seconds in numbers_and_times)


def pushed_by(source, **settings):
    """(recognizer, steps, summary) of a source that is read to its end."""
    recognizer = NotingRecognizer(**settings)
    run = run_stream(recognizer, source)
    return recognizer, list(run), run.summary


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libvpx"), ("a.ts", "libx264")])
def test_every_nth_frame_of_a_file_and_none_dropped(tmp_path, name, codec):
    path = constant(tmp_path / name, codec=codec)
    for stride in (1, 3, 4):
        recognizer, steps, summary = pushed_by(path, frame_stride=stride)
        numbers = [number for _, number in recognizer.pushed]
        assert numbers == list(range(0, 50, stride))
        assert [seconds for seconds, _ in recognizer.pushed] == pytest.approx(np.array(numbers) / 30, abs=1e-3)
        assert recognizer.windows == [numbers[end - 4 : end] for end in range(4, len(numbers) + 1, 2)]
        assert len(steps) == len(recognizer.windows) == summary.num_steps
        assert all(step.dropped == 0 and step.note == "" for step in steps)
        assert (summary.frames_read, summary.frames_chosen, summary.frames_dropped) == (50, len(numbers), 0)
        assert (summary.is_live, summary.reconnects, summary.resets) == (False, 0, 0)
        assert summary.source == str(path)
        assert summary.source_seconds == pytest.approx(49 / 30, abs=2e-3)
        assert summary.real_time_factor > 0


def test_the_logits_of_whole_clips(tmp_path):
    path = constant(tmp_path / "a.mp4", num_frames=63)
    model, preprocessing = long_model("stvit_video_deit_tiny")
    preprocessing = type(preprocessing)(**{**preprocessing.to_dict(), "frame_stride": 2})
    recognizer = StreamingRecognizer(model, 4, preprocessing=preprocessing)
    with open_video(path) as video:
        frames = torch.from_numpy(video.read(range(0, 63, 2)))  # (T, H, W, 3)
    clip = resize_short_side(channels_first(frames), short_side=preprocessing.short_side)
    left = (clip.shape[-1] - preprocessing.crop_size) // 2
    clip = clip[..., left : left + preprocessing.crop_size]
    clip = normalise(clip.transpose(0, 1), mean=preprocessing.mean, std=preprocessing.std)  # (3, T, H, W)
    for run in (recognizer.run(path), run_stream(recognizer, path)):
        steps = list(run)
        assert [round(step.seconds * 15) for step in steps] == list(range(15, 32, 4))
        for step in steps:
            end = round(step.seconds * 15) + 1
            with torch.no_grad():
                wanted = model(clip[None, :, end - 16 : end])[0].numpy()
            np.testing.assert_allclose(step.logits, wanted, atol=1e-5, rtol=1e-5)
            assert step.window == pytest.approx(((end - 16) / 15, (end - 1) / 15), abs=1e-3)
            np.testing.assert_allclose(step.probabilities, torch.softmax(torch.tensor(wanted), 0), atol=1e-5)
            assert step.latency_seconds > 0
            assert set(step.stages) == {"decode", "queue", "preprocess", "encode", "decide"}


def test_a_rate_to_aim_at(tmp_path):
    recognizer, _, summary = pushed_by(constant(tmp_path / "a.mp4", num_frames=40), frame_stride=9, target_fps=12.0)
    wanted = [int(Fraction(number, 12) * 30) for number in range(16)]
    assert [number for _, number in recognizer.pushed] == wanted  # the frames on the screen at n / 12
    assert summary.fps == 12.0


def test_a_screen_recording_is_sampled_by_time(tmp_path):
    path = timed_video(tmp_path / "a.mkv", SCREEN_MS, codec="libvpx")
    recognizer, _, _ = pushed_by(path, target_fps=10.0, num_frames=30)
    seconds = np.array([seconds for seconds, _ in recognizer.pushed])
    assert np.diff(seconds).max() < 0.15
    for time, number in recognizer.pushed:
        begins = SCREEN_MS[number] / 1000
        ends = SCREEN_MS[number + 1] / 1000 if number + 1 < len(SCREEN_MS) else 9.0
        assert begins - 0.03 <= time <= ends + 0.03


def test_a_gap_in_the_stamps(tmp_path):
    times = [*range(0, 1000, 40), *range(5000, 6000, 40)]
    recognizer, steps, summary = pushed_by(timed_video(tmp_path / "a.mkv", times, codec="libvpx", rate=25))
    assert [number for _, number in recognizer.pushed] == list(range(50))
    assert all(window[-1] - window[0] == 3 for window in recognizer.windows)
    assert not any(window[0] < 25 <= window[-1] for window in recognizer.windows)
    notes = [step.note for step in steps if step.note]
    assert notes == ["a gap of 4.0 s, longer than the window of 0.16 s"]
    assert summary.resets == 1


def test_another_size_and_a_clock_that_is_set_anew(tmp_path):
    """Two recordings in one file, as a recorder of MPEG-TS writes them."""
    first, second = constant(tmp_path / "a.ts"), tmp_path / "b.ts"
    with av.open(str(second), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 48, "yuv420p"
        for number in range(20):
            picture = numbered_picture(number)[:48, :96]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    recognizer, steps, summary = pushed_by(both)
    assert set(recognizer.sizes) == {(64, 128), (48, 96)}
    (note,) = [step.note for step in steps if step.note]
    assert "from 128x64 to 96x48 pixels" in note
    times = [seconds for seconds, _ in recognizer.pushed]
    assert times == sorted(times)
    assert summary.resets == 1
    change = recognizer.resets[1]
    assert recognizer.sizes[change - 1] != recognizer.sizes[change]


def test_a_source_that_is_shorter_than_a_window(tmp_path):
    run = run_stream(NotingRecognizer(num_frames=60), constant(tmp_path / "a.mp4"))
    with pytest.raises(SourceError, match=r"ended after 1\.6 s and 50 chosen frames, before a window of 60 frames"):
        next(run)
    assert run.summary.num_steps == 0


def test_files_that_are_none(tmp_path):
    (tmp_path / "empty.mp4").touch()
    for name in ("absent.mp4", "empty.mp4"):
        with pytest.raises(DecodeError, match=name):
            run_stream(NotingRecognizer(), tmp_path / name)
    (tmp_path / "words.mp4").write_text("only words\n" * 99)
    with pytest.raises(DecodeError, match=r"words\.mp4"):
        next(run_stream(NotingRecognizer(), tmp_path / "words.mp4"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"on_late": "later"}, "on_late='later'.*drop, wait"),
        ({"timeout_seconds": 0.0}, "timeout_seconds"),
        ({"reconnect_seconds": float("nan")}, "reconnect_seconds"),
        ({"max_reconnects": -1}, "max_reconnects"),
        ({"max_seconds": 0}, "max_seconds"),
    ],
)
def test_settings_out_of_range(settings, told):
    with pytest.raises(ValueError, match=told):
        run_stream(NotingRecognizer(), shown([(0, 0.0)]), **settings)


def test_an_iterator_keeps_its_times():
    recognizer, steps, summary = pushed_by(shown((number, 100 + number / 20) for number in range(30)), frame_stride=3)
    assert [number for _, number in recognizer.pushed] == list(range(0, 30, 3))
    assert [seconds for seconds, _ in recognizer.pushed] == pytest.approx([100 + n / 20 for n in range(0, 30, 3)])
    assert steps[0].window == pytest.approx((100.0, 100.45))
    assert summary.fps == pytest.approx(20 / 3)
    assert (summary.source, summary.source_seconds) == ("an iterator", pytest.approx(1.45))


def test_an_iterator_of_a_machine_that_is_too_slow_loses_nothing():
    recognizer, _, summary = pushed_by(shown((number, number / 1e6) for number in range(30)), push_seconds=0.002)
    assert [number for _, number in recognizer.pushed] == list(range(30))
    assert summary.frames_dropped == 0
    assert summary.real_time_factor < 1


def test_iterators_that_say_no_time():
    with pytest.raises(ValueError, match="target_fps"):
        list(run_stream(NotingRecognizer(), shown((number, 1.0) for number in range(30))))
    with pytest.raises(SourceError, match="no picture"):
        list(run_stream(NotingRecognizer(), iter([])))
    with pytest.raises(SourceError, match="1 chosen frames"):
        list(run_stream(NotingRecognizer(), shown([(1, 0.0)])))
    with pytest.raises(ValueError, match="frame 20 of the iterator"):
        list(run_stream(NotingRecognizer(), shown((n, n / 9 if n != 20 else None) for n in range(30))))


def test_times_of_an_iterator_that_run_back():
    stamps = [*range(100, 120), *range(10, 30)]
    recognizer, steps, _ = pushed_by(shown((number, stamp / 10) for number, stamp in enumerate(stamps)))
    assert [number for _, number in recognizer.pushed] == list(range(40))
    times = [seconds for seconds, _ in recognizer.pushed]
    assert times == pytest.approx([10 + place / 10 for place in range(40)])
    assert [step.note for step in steps if step.note] == ["its time stamps ran back by 10.9 s"]


def open_files():
    """Paths that this process has open; none where there is no Linux /proc."""
    return [Path(link).resolve() for link in Path("/proc/self/fd").glob("*")]


def test_closing_gives_back_what_is_open(tmp_path):
    closed = []

    def frames():
        try:
            yield from shown((number, number / 10) for number in range(1000))
        finally:
            closed.append(True)

    with run_stream(NotingRecognizer(), frames()) as run:
        next(run)
        assert not closed
    path = constant(tmp_path / "a.mp4")
    with run_stream(NotingRecognizer(), path) as run:
        next(run)
        assert not Path("/proc/self/fd").exists() or path in open_files()
    assert path not in open_files()
    assert list(run) == []


def test_a_run_that_is_not_begun_opens_nothing(tmp_path):
    recognizer = NotingRecognizer()
    run = run_stream(recognizer, constant(tmp_path / "a.mp4"))
    run.close()
    assert list(run) == []
    assert recognizer.pushed == []


def test_no_torch():
    code = (
        "import sys; import stvit_video.streaming.run_stream; "
        "sys.exit(bool({'torch', 'av', 'torchvision'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_max_seconds_end_a_file_at_that_time(tmp_path):
    path = constant(tmp_path / "a.mp4")
    recognizer = NotingRecognizer(num_frames=4, stride_frames=20)
    steps = list(run_stream(recognizer, path, max_seconds=1.0))
    assert [number for _, number in recognizer.pushed] == list(range(31))  # not until the next answer, at frame 43
    assert len(steps) == 2
    with pytest.raises(SourceError, match=r"window of 40 frames \(1\.3 s\) was full; raise max_seconds or"):
        list(run_stream(NotingRecognizer(num_frames=40), path, max_seconds=1.0))


def test_max_seconds_of_an_iterator_count_from_its_first_frame():
    recognizer = NotingRecognizer()
    list(run_stream(recognizer, shown((number, 100 + number / 20) for number in range(99)), max_seconds=1.02))
    assert [number for _, number in recognizer.pushed] == list(range(21))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_file_that_is_cut_off(tmp_path, name):
    """Its header says how long it was."""
    whole = tmp_path / f"whole_{name}"
    options = {"movflags": "faststart"} if name == "a.mp4" else {}
    with av.open(str(whole), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        for number in range(80):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")))
        container.mux(stream.encode())
    cut = tmp_path / name
    cut.write_bytes(whole.read_bytes()[: int(0.6 * whole.stat().st_size)])
    assert len(list(run_stream(NotingRecognizer(), whole))) == 39
    run, steps = run_stream(NotingRecognizer(), cut), []
    with pytest.raises(SourceError, match=r"its header promises 8\.0 s and it ended at \d\.\d s"):
        steps.extend(run)
    assert 3 < len(steps) < 39
    assert "promises 8.0 s" in run.summary.error


def test_pictures_without_times_are_told(tmp_path):
    path = tmp_path / "a.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        for number in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")))
        container.mux(stream.encode())
    _, steps, summary = pushed_by(path)
    assert steps
    (note,) = summary.notes
    assert "a.h264 has no time stamps; " in note
    assert f"{summary.fps:.3g} frames a second are assumed" in note
