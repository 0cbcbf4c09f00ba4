"""Rates by hand with a clock of our own; that both sides really run, on tiny videos."""

from types import SimpleNamespace

import pytest
from torch.utils.data import IterableDataset
from video_maker import make_video

from stvit_video.data.benchmarks import throughput
from stvit_video.data.benchmarks.bare_decoders import plan_clips
from stvit_video.data.benchmarks.throughput import (
    Comparison,
    best_rates,
    compare_decoders,
    compare_prepared,
    compare_views,
)
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.utils.optional import MissingLibraryError

SMALL = Preprocessing(num_frames=3, frame_stride=2, short_side=32, crop_size=32)
ROWS = [
    ("decord alone, same frames", 0.85),
    ("PyAV alone, same frames", None),
    ("pytorchvideo LabeledVideoDataset, same duration", 2.0),
]


@pytest.fixture
def paths(tmp_path):
    return [
        str(make_video(tmp_path / f"{n}.mp4", size=size, num_frames=n)) for n, size in [(12, (98, 70)), (7, (128, 96))]
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "is_time", "target", "ratio", "is_met"),
    [
        (30.0, 10.0, False, 2.0, 3.0, True),
        (10.0, 20.0, False, 0.85, 0.5, False),
        (10.0, 12.0, True, 1.3, 1.2, True),  # 1/10 s beside 1/12 s
        (10.0, 15.0, True, 1.3, 1.5, False),
        (10.0, 5.0, False, None, 2.0, None),
        (10.0, None, False, 2.0, None, None),
    ],
)
def test_ratios(ours, theirs, is_time, target, ratio, is_met):
    row = Comparison(ours="a", reference="b", our_rate=ours, reference_rate=theirs, is_time=is_time, target=target)
    assert row.ratio == (None if ratio is None else pytest.approx(ratio))
    assert row.is_met is is_met


def test_the_quickest_pass_counts_but_never_the_first(monkeypatch):
    now, order = [0.0], []
    seconds = {"a": iter([0.1, 4.0, 2.0]), "b": iter([0.1, 5.0, 8.0])}  # the first warms up
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: now[0])

    def read(name, count):
        order.append(name)
        now[0] += next(seconds[name])
        return count

    assert best_rates([lambda: read("a", 6), lambda: read("b", 10)], repeats=2) == pytest.approx([3.0, 2.0])
    assert order == ["a", "b"] * 3


def test_no_rate_without_clips():
    with pytest.raises(ValueError, match=r"pass 1 .*no clip\b"):
        best_rates([lambda: 1, lambda: 0], repeats=1)
    with pytest.raises(ValueError, match=r"repeats=0 .*at least 1\b"):
        best_rates([lambda: 1], repeats=0)


class TheirVideos(IterableDataset):
    """In the place of pytorchvideo's: a grey clip of each video but the last `num_missing`."""

    num_missing = 0

    def __init__(self, labeled_paths, sampler, video_sampler, *, transform, decode_audio):
        self.paths, self.seconds, self.transform = [path for path, _ in labeled_paths], sampler[1], transform
        type(self).last = self

    def __iter__(self):
        video = throughput.torch.zeros(3, 5, 40, 48)
        for index in range(len(self.paths) - self.num_missing):
            yield self.transform({"video": video, "video_index": index})


def use_their_videos(monkeypatch, kind):
    library = SimpleNamespace(LabeledVideoDataset=kind, make_clip_sampler=lambda name, seconds: (name, seconds))
    monkeypatch.setattr(throughput, "load_optional", lambda name, **_: library)


def test_all_sides_run_on_the_same_files(paths, monkeypatch):
    use_their_videos(monkeypatch, TheirVideos)
    plan, _ = plan_clips(paths, preprocessing=SMALL)
    rows = compare_decoders(plan, name="it", preprocessing=SMALL, num_workers=0, batch_size=2, repeats=1)
    assert [(row.reference, row.target) for row in rows] == ROWS
    assert all(row.our_rate > 0 and row.reference_rate > 0 and row.ratio > 0 for row in rows)
    assert all(row.note == "" for row in rows)
    assert TheirVideos.last.paths == paths
    assert TheirVideos.last.seconds == pytest.approx(5 / 25)  # 3 frames, 2 apart, reach over 5


def test_worker_processes(paths, monkeypatch):
    use_their_videos(monkeypatch, TheirVideos)
    plan, _ = plan_clips(paths, preprocessing=SMALL)
    rows = compare_decoders(plan, name="it", preprocessing=SMALL, num_workers=1, batch_size=1, repeats=1)
    assert all(row.ratio > 0 for row in rows)


def test_a_library_that_fails_is_a_line_of_the_table(paths, monkeypatch):
    def absent(name, **_):
        raise MissingLibraryError(f"{name} does not import here")

    plan, _ = plan_clips(paths, preprocessing=SMALL)
    monkeypatch.setattr(throughput, "load_optional", absent)
    *measured, row = compare_decoders(plan, name="it", preprocessing=SMALL, num_workers=0, repeats=1)
    assert row.note == "not measured: pytorchvideo.data does not import here"
    assert (row.ratio, row.is_met, row.reference_rate) == (None, None, None)
    assert all(other.ratio > 0 for other in measured)


def test_a_library_that_leaves_clips_out_is_not_compared(paths, monkeypatch):
    use_their_videos(monkeypatch, type("Lossy", (TheirVideos,), {"num_missing": 1}))
    plan, _ = plan_clips(paths, preprocessing=SMALL)
    row = compare_decoders(plan, name="it", preprocessing=SMALL, num_workers=0, repeats=1)[-1]
    assert row.note == "not measured: it gave 1 clips of 2 videos"
    assert row.reference_rate is None


def test_prepared_beside_original(paths):
    row = compare_prepared(*paths, preprocessing=SMALL, num_workers=0, num_clips=3, repeats=1)
    assert (row.target, row.is_time) == (4.0, False)
    assert row.our_rate > 0
    assert row.reference_rate > 0


def test_views_beside_one_decode(paths):
    threads = throughput.torch.get_num_threads()
    row = compare_views(paths, preprocessing=SMALL, name="each video", repeats=1)
    assert (row.ours, row.target, row.is_time) == ("15 views of each video", 1.3, True)
    assert row.ratio == pytest.approx(row.reference_rate / row.our_rate)
    assert row.ratio > 0
    assert throughput.torch.get_num_threads() == threads


def test_views_of_a_broken_file(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 50)
    with pytest.raises(ValueError, match=r"can't decode .*broken\.mp4"):
        compare_views([str(tmp_path / "broken.mp4")], preprocessing=SMALL, name="it", repeats=1)
