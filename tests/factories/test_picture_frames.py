import numpy as np
import pytest
import torch
from PIL import Image
from sequence_maker import frame_document, write_frames

from stvit_video.data.loading.picture_clips import FrameClips
from stvit_video.data.manifests.picture_sequences import sequence_rows
from stvit_video.factories.map_data import build_map_data
from stvit_video.factories.picture_data import build_picture_data
from stvit_video.factories.picture_frames import build_picture_batches, find_frame_options
from stvit_video.factories.picture_lists import read_pictures
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.settings.segmentation_settings import SegmentationSettings

SMALL = {"short_side": 36, "long_side": 48, "num_workers": 0, "num_frames": 1, "frame_stride": 1}


@pytest.fixture
def places(tmp_path):
    root = write_frames(tmp_path)
    return {f"{part}_{kind}": str(root / name) for part in ("train", "val") for kind, name in
            (("json", "frames.json"), ("images", ""))}  # fmt: skip


def settings_of(places, **values):
    return ClipSettings(source="coco_folders", **{**places, **SMALL, **values})


def test_settings_become_batches():
    batches = build_picture_batches(settings_of({}, batch_size=12, val_batch_size=5, clip_frames=4, clip_stride=3))
    assert (batches.size, batches.val_size, batches.num_workers, batches.num_clips) == (12, 5, 0, 3)
    assert batches.frames == FrameClips(num_frames=4, stride=3)
    assert build_picture_batches(settings_of({}, batch_size=3)).num_clips == 3
    with pytest.raises(ValueError, match=r"batch_size=6 .*clip_frames=4; use batch_size=8"):
        build_picture_batches(settings_of({}, batch_size=6, clip_frames=4))


def test_what_is_not_given_has_its_default():
    assert find_frame_options({"source": "ade"}).sequences == "listed"


def test_a_training_has_batches_of_clips(places):
    data = settings_of(places, batch_size=6, clip_frames=3)
    module = build_picture_data(DetectionSettings(task="detection", data=data), masks=False)
    loader = module.train_dataloader()
    batch = next(iter(loader))
    assert batch["clip_frames"] == 3
    for clip in (0, 3):
        assert len(set(batch["sequences"][clip : clip + 3])) == 1
        first = batch["frame_places"][clip]
        assert batch["frame_places"][clip : clip + 3] == [first, first + 1, first + 2]


def test_folders_can_be_the_sequences(places, tmp_path):
    document = frame_document()
    for image in document["images"]:
        image.pop("video", None)
    write_frames(tmp_path, document)
    listed, by_folder = (
        read_pictures({"source": "coco_folders", **places, **more}, ("val",))["val"]
        for more in ({}, {"sequences": "folders"})
    )
    assert {len(rows) for rows in sequence_rows(listed)} == {1}
    assert sorted(len(rows) for rows in sequence_rows(by_folder)) == [1, 3, 5, 7]
    record = by_folder.pictures[0]
    assert (record.video_id, record.sequence, record.frame_place) == ("walk/06.png", "walk", 6)
    assert by_folder.objects_of(record).boxes.tolist() == [[7, 2, 19, 11]]


def test_label_maps_have_clips_too_and_their_frames_are_cut_alike(tmp_path):
    """Every frame of a video is the same picture, whose maps differ by a constant."""
    rows, columns = np.indices((40, 52)) // 13
    for name, length in {"a": 5, "b": 4}.items():
        for number in range(length):
            for folder, values in (("pictures", rows * 50 + columns * 9), ("maps", (rows + columns + number) % 4)):
                path = tmp_path / folder / name / f"{number + 8}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(values.astype(np.uint8)).save(path)
    (tmp_path / "classes.txt").write_text("one\ntwo\nthree\nfour\n")
    places = {f"{part}_{kind}": str(tmp_path / folder) for part in ("train", "val") for kind, folder in
              (("images", "pictures"), ("maps", "maps"))}  # fmt: skip
    values = {"classes": str(tmp_path / "classes.txt"), "crop_size": 23, "batch_size": 4, "clip_frames": 2}
    data = ClipSettings(source="label_maps", sequences="folders", **{**SMALL, **places, **values})
    module = build_map_data(SegmentationSettings(task="semantic", data=data))
    loader = module.train_dataloader()
    num_batches = 0
    for epoch in range(4):
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            num_batches += 1
            assert batch["clip_frames"] == 2
            assert batch["maps"].shape[0] == 4
            for clip in (0, 2):
                assert batch["sequences"][clip] == batch["sequences"][clip + 1]
                assert batch["frame_places"][clip + 1] == batch["frame_places"][clip] + 1
                assert torch.equal(batch["pictures"][clip], batch["pictures"][clip + 1])
                height, width = batch["sizes"][clip]
                first, second = batch["maps"][clip : clip + 2, :height, :width]
                assert torch.equal((first + 1) % 4, second)
    assert num_batches == 8
