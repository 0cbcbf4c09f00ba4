"""Bare decoders read what training reads; the files around them are what they say."""

import re

import av
import numpy as np
import pytest
import torch
from video_maker import make_video, whole_file

from stvit_video.data.benchmarks.bare_decoders import (
    SEED,
    EvenClip,
    PlannedClip,
    RawClips,
    decode_whole_file,
    find_videos,
    plan_clips,
    read_with_decord,
    read_with_pyav,
    write_original,
)
from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.transforms.pixel_augment import Draw
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import CroppedClip, TrainTransform

SMALL = Preprocessing(num_frames=3, frame_stride=5, short_side=32, crop_size=32)


def untouched(frames, *, generator):
    return CroppedClip(frames, Draw())


def test_training_and_both_decoders_read_the_same_frames(tmp_path):
    paths = [
        str(make_video(tmp_path / f"{n}.mp4", size=size, num_frames=n)) for n, size in [(35, (98, 70)), (7, (128, 96))]
    ]
    plan, left_out = plan_clips(paths, preprocessing=SMALL)
    records = tuple(VideoRecord(path, 0, str(path)) for path in paths)
    dataset = ClipDataset(Manifest(records, ("a",)), preprocessing=SMALL, transform=untouched, seed=SEED)
    assert left_out == []
    assert [clip.path for clip in plan] == paths
    for position, clip in enumerate(plan):
        expected = whole_file(clip.path)[list(clip.indices)]
        assert clip.fps == 25
        assert np.array_equal(read_with_pyav(clip.path, clip.indices), expected)
        assert np.array_equal(read_with_decord(clip.path, clip.indices), expected)
        assert np.array_equal(dataset[position]["clip"].numpy(), expected)


def test_frames_in_any_order_and_repeated(tmp_path):
    path = str(make_video(tmp_path / "v.mp4", num_frames=12))
    expected = whole_file(path)[[7, 2, 11, 11, 0]]
    assert np.array_equal(read_with_pyav(path, [7, 2, 11, 11, 0]), expected)
    assert np.array_equal(read_with_decord(path, [7, 2, 11, 11, 0]), expected)


def test_raw_clips_call_the_reader_and_pass_on_a_count():
    calls = []

    def read(path, indices):
        calls.append((path, indices))
        return np.zeros((len(indices), 2, 2, 3))

    dataset = RawClips([PlannedClip("a", (1, 5), 25.0), PlannedClip("b", (2, 3, 4), 25.0)], read=read)
    assert [dataset[index] for index in range(len(dataset))] == [
        {"index": 0, "num_frames": 2},
        {"index": 1, "num_frames": 3},
    ]
    assert calls == [("a", (1, 5)), ("b", (2, 3, 4))]


def test_files_that_can_not_be_compared_are_named(tmp_path):
    good, turned = make_video(tmp_path / "good.mp4"), make_video(tmp_path / "turned.mp4", rotation=(90, False))
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 50)
    paths = [str(path) for path in (turned, tmp_path / "broken.mp4", good)]
    plan, left_out = plan_clips(paths, preprocessing=SMALL)
    assert [clip.path for clip in plan] == [str(good)]
    assert re.search(f"{re.escape(repr(str(turned)))} .*'decord': .*not safe .*rotated", left_out[0])
    assert "broken.mp4" in left_out[1]
    with pytest.raises(ValueError, match=r"none of the 2 videos .*turned\.mp4'"):
        plan_clips(paths[:2], preprocessing=SMALL)


def test_videos_are_spread_over_the_folder(tmp_path):
    for name in ("b/3.mp4", "a/1.MP4", "a/2.webm", "4.avi", "5.mkv", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    everything = [str(tmp_path / name) for name in ("4.avi", "5.mkv", "a/1.MP4", "a/2.webm", "b/3.mp4")]
    assert find_videos(tmp_path, limit=64) == everything
    assert find_videos(tmp_path, limit=2) == [everything[0], everything[2]]


def test_wrong_folders(tmp_path):
    # the whole sentence, once for its family
    with pytest.raises(ValueError, match="^limit=0 is not possible; give at least 1 video$"):
        find_videos(tmp_path, limit=0)
    with pytest.raises(ValueError, match=f"no video in {re.escape(repr(str(tmp_path)))};"):
        find_videos(tmp_path, limit=1)
    with pytest.raises(ValueError, match=r"absent' is no folder\b"):
        find_videos(tmp_path / "absent", limit=1)


def test_their_clip_gets_as_many_frames_and_our_transform(finished):
    preprocessing = Preprocessing(
        num_frames=3, frame_stride=1, short_side=4, crop_size=4, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    )
    video = torch.arange(5.0).mul(51).view(1, 5, 1, 1).expand(3, 5, 4, 6)  # frame i is 51 i everywhere
    item = EvenClip(TrainTransform(preprocessing, crop="centre"))({"video": video, "video_index": 2, "label": 0})
    assert set(item) == {"clip", "index"}
    assert item["index"] == 2
    expected = torch.tensor([0.0, 0.4, 0.8]).view(1, 3, 1, 1).expand(3, 3, 4, 4)  # frames 0, 2, 4
    torch.testing.assert_close(finished(CroppedClip(item["clip"], Draw()), preprocessing), expected)


def test_a_whole_file_is_counted(tmp_path):
    assert decode_whole_file(str(make_video(tmp_path / "v.mp4", num_frames=35))) == 35


def test_an_original_goes_to_and_fro(tmp_path, write_video):
    source = write_video("v.mp4", num_frames=3, height=48, width=64)
    target = tmp_path / "large.mp4"
    write_original(str(source), target, size=(96, 130), num_frames=9, gop=5)
    with av.open(str(target)) as container:
        frames = list(container.decode(video=0))
    greys = [float(frame.to_ndarray(format="rgb24").mean()) for frame in frames]
    shown = [round((grey - 16) / 8) for grey in greys]
    assert shown == [0, 1, 2, 1, 0, 1, 2, 1, 0]
    assert [number for number, frame in enumerate(frames) if frame.key_frame] == [0, 5]
    assert (frames[0].height, frames[0].width) == (96, 130)
    assert frames[8].time == pytest.approx(8 / 30)
