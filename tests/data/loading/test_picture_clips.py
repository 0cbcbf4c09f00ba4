"""Training clips against the frames that they are made of."""

import pytest
import torch
from sequence_maker import LENGTHS, frame_document, read_frames, write_frames

from stvit_video.data.loading.picture_clips import FrameClips, PictureClips, clip_rows, collate_picture_clips
from stvit_video.data.loading.picture_dataset import TrainingPictures
from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.transforms.detection_transform import DetectionTransform
from stvit_video.data.transforms.picture_sizes import PictureSizes

SIZES = PictureSizes(short_side=36, long_side=80)
PLAIN = DetectionTransform(sizes=SIZES, flip_probability=0)
WILD = DetectionTransform(
    sizes=SIZES,
    short_sides=(24, 30, 36),
    crop_probability=0.5,
    crop_short_sides=(40, 50),
    crop_sides=(20, 33),
    photometric_probability=0.7,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_frames(tmp_path_factory.mktemp("frames"))


def clips_of(root, *, transform=PLAIN, num_frames=3, stride=1, seed=4, **settings):
    pictures = TrainingPictures(read_frames(root), transform=transform, sizes=SIZES, seed=seed, **settings)
    return PictureClips(pictures, frames=FrameClips(num_frames=num_frames, stride=stride))


def places(manifest, rows):
    return [(manifest.records[row].sequence, manifest.records[row].frame_place) for row in rows]


@pytest.mark.parametrize(("num_frames", "stride"), [(2, 1), (3, 1), (2, 2), (3, 3)])
def test_an_epoch_has_every_beginning_in_one_of_its_clips(root, num_frames, stride):
    manifest = read_frames(root)
    clips = clip_rows(manifest, FrameClips(num_frames=num_frames, stride=stride))
    found = [tuple(places(manifest, rows)) for clip in clips for rows in clip]
    span = (num_frames - 1) * stride + 1
    expected = [
        tuple((name, start + n * stride) for n in range(num_frames))
        for name, length in LENGTHS.items()
        for start in range(length - span + 1)
    ]
    assert sorted(found) == sorted(expected)
    counts = {name: sum(places(manifest, clip[0])[0][0] == name for clip in clips) for name in LENGTHS}
    for name, length in LENGTHS.items():
        assert counts[name] == min(max(0, length - span + 1), max(1, length // num_frames))


def test_a_frame_that_is_not_listed_breaks_the_clips_around_it(root):
    manifest = read_frames(root)
    kept = [record for record in manifest.records if (record.sequence, record.frame_place) != ("walk", 3)]
    object.__setattr__(manifest, "records", tuple(kept))
    found = [places(manifest, rows) for clip in clip_rows(manifest, FrameClips(num_frames=3)) for rows in clip]
    assert [rows[0] for rows in found if rows[0][0] == "walk"] == [("walk", 0), ("walk", 4)]


def test_frames_follow_one_another_with_their_own_objects(root):
    clips = clips_of(root, num_frames=3, stride=2)
    assert len(clips) == 3  # walk has 3 beginnings and 7 // 3 clips, run none, sit 1 and 1
    items = clips[0]
    first = items[0]["frame_place"]
    assert [item["frame_place"] for item in items] == [first, first + 2, first + 4]
    assert {item["sequence"] for item in items} == {"walk"}
    assert [float(item["target"]["boxes"][0, 0]) for item in items] == [first + 1, first + 3, first + 5]
    assert [item["index"] for item in items] == [6 - item["frame_place"] for item in items]  # listed from the last one
    batch = collate_picture_clips([items, clips[2]])
    assert batch["clip_frames"] == 3
    assert batch["sequences"] == ["walk"] * 3 + ["sit"] * 3
    assert batch["pictures"].shape == (6, 3, 64, 64)
    assert batch["num_skipped"].tolist() == [0] * 6


def test_all_frames_of_a_clip_are_changed_alike(tmp_path):
    document = frame_document()
    for number in range(1, 16, 2):  # some have many objects, of which few are drawn
        more = {"image_id": number, "category_id": 1, "area": 16, "iscrowd": 0}
        document["annotations"] += [more | {"id": 100 * number + n, "bbox": [20 + n, 20, 4, 4]} for n in range(number)]
    root = write_frames(tmp_path, document, alike=True)
    shapes, colours = set(), set()
    for epoch in range(10):
        clips = clips_of(root, transform=WILD, max_objects=2)
        clips.set_epoch(epoch)
        for number in range(len(clips)):
            first, *others = (item["picture"] for item in clips[number])
            assert all(torch.equal(first, other) for other in others)
            shapes.add(first.shape)
            colours.add(float(first.mean()))
    assert len(shapes) > 3
    assert len(colours) > 10


def test_clips_follow_from_seed_epoch_and_number(root):
    one, other = clips_of(root, transform=WILD), clips_of(root, transform=WILD)
    other[3], other[1]
    for number in range(len(one)):
        ours, theirs = one[number], other[number]
        assert [item["name"] for item in ours] == [item["name"] for item in theirs]
        assert all(torch.equal(a["picture"], b["picture"]) for a, b in zip(ours, theirs, strict=True))
    starts = set()
    for epoch in range(9):
        one.set_epoch(epoch)
        starts.add(one[0][0]["frame_place"])
    assert len(starts) > 1


def test_a_clip_with_a_broken_frame_is_replaced_and_the_frame_is_counted(tmp_path):
    root = write_frames(tmp_path)
    (root / "sit" / "02.png").write_bytes(b"x")
    clips = clips_of(root, num_frames=3)
    number = len(clips) - 1  # sit has one clip, whose frames are 0 to 4
    items = clips[number]
    assert "sit" not in {item["sequence"] for item in items}
    assert [item["num_skipped"] for item in items] == [1, 0, 0]
    ((index, reason),) = items[0]["skipped"]
    assert clips.clips.manifest.records[index].video_id == "sit/02.png"
    assert "sit/02.png" in reason
    for path in root.rglob("*.png"):
        path.write_bytes(b"x")
    with pytest.raises(BrokenVideosError, match="^2 clips in a row"):
        clips_of(root, max_attempts=2)[0]


def test_lists_without_clips_are_refused(root, tmp_path):
    with pytest.raises(ManifestError, match=r"data\.clip_frames=4 at data\.clip_stride=3 needs 10 frames .* has 7"):
        clips_of(root, num_frames=4, stride=3)
    alone = write_frames(tmp_path, frame_document({}, alone=4))
    with pytest.raises(ManifestError, match=r"data\.clip_frames=2 .* none of the 4 listed pictures"):
        clips_of(alone, num_frames=2)


@pytest.mark.parametrize("settings", [{"num_frames": 0}, {"stride": 0}])
def test_numbers_below_one_are_refused(settings):
    with pytest.raises(ValueError, match="at least 1"):
        FrameClips(**settings)
