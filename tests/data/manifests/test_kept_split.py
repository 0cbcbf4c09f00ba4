from pathlib import Path

import pytest

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.kept_split import SPLIT_FILE, read_split, split_in, write_split
from stvit_video.data.manifests.manifest import Manifest, VideoRecord


def manifest_of(*names):
    classes = ("jump, high", "run")
    return Manifest(tuple(VideoRecord(Path(name), number % 2, name) for number, name in enumerate(names)), classes)


def test_names_come_back_in_their_order(tmp_path):
    train, val = manifest_of("run/ü, b.mp4", "jump/a\udcff.mp4", "run/a.mp4"), manifest_of("jump/c.mp4")
    assert split_in(tmp_path) is None
    write_split(tmp_path / SPLIT_FILE, train, val)
    assert split_in(tmp_path) == (("run/ü, b.mp4", "jump/a\udcff.mp4", "run/a.mp4"), ("jump/c.mp4",))
    assert (tmp_path / "split.csv").read_bytes().splitlines()[1] == '"run/ü, b.mp4","jump, high",train'.encode()


@pytest.mark.parametrize("text", ["", "path,label\na,b\n", "path,label,part\na,b\n", "path,label,part\na,b,test\n"])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / SPLIT_FILE).write_text(text)
    with pytest.raises(ManifestError, match=r"split\.csv is no list of .*path,label,part"):
        read_split(tmp_path / SPLIT_FILE)
