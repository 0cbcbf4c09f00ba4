import pytest
from list_maker import touch, write_csv
from picture_maker import record_of

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest, VideoRecord, check_classes, require_one_frame


def test_pictures_are_not_shown_as_clips(tmp_path):
    picture, video = record_of(tmp_path / "x.png"), VideoRecord(tmp_path / "x.mp4", 0, "x.mp4")
    both = Manifest((video, picture), ("a", "b"))
    with pytest.raises(ValueError, match=r"x\.png is a picture, .*\b3 frames\b"):
        require_one_frame(both, num_frames=3)
    assert require_one_frame(both, num_frames=1) is None
    assert require_one_frame(Manifest((video,), ("a", "b")), num_frames=3) is None


def test_classes_of_val_must_be_those_of_train(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    train = read_csv_manifest(write_csv(tmp_path, "path,label\na.mp4,x\nb.mp4,y\n"))
    val = write_csv(tmp_path, "path,label\nc.mp4,y\n")
    check_classes(train, read_csv_manifest(val, classes=train.classes))
    with pytest.raises(ManifestError, match=r"training manifest has 2 classes, .*validation manifest 1\b"):
        check_classes(train, read_csv_manifest(val))
    other = read_csv_manifest(write_csv(tmp_path, "path,label\na.mp4,x\nb.mp4,run\nc.mp4,sit\n"))
    # the whole sentence, once for its family
    whole = (
        r"^2 class\(es\) of the validation videos have no training video: 'run', 'sit'; add training videos or remove "
        "the classes$"
    )
    with pytest.raises(ManifestError, match=whole):
        check_classes(train, other)
