import shutil

import numpy as np
import pytest

from stvit_video.data.curation.alike import alike_in_class, find_alike
from stvit_video.data.curation.scan import VideoReport
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.synthetic.dataset import encode_video


def report(name, digest, *hashes):
    return VideoReport(path=name, digest=digest, frame_hashes=hashes)


def test_copies_and_near_videos_of_the_named_positions():
    reports = [
        report("a", "1", 0b0000, 0b0000, 0b0000),
        report("b", "2", 2**64 - 1, 2**64 - 1, 2**64 - 1),
        report("c", "1", 0b0000, 0b0000, 0b0000),
        report("d", "3", 0b1111, 0b1100, 0b1111),  # 4 bits from a
        report("e", "4", 2**13 - 1, 0, 0),  # 9 bits from d
        report("f", ""),
        report("g", ""),
    ]
    assert set(alike_in_class(range(7), reports)) == {(0, 2), (0, 3), (2, 3)}
    assert set(alike_in_class((1, 2, 3), reports)) == {(2, 3)}
    assert set(alike_in_class((5, 6), reports)) == set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """cat/a, a copy of it, a smaller one of worse quality, another, one that is no video; dog has a copy, too."""
    root = tmp_path_factory.mktemp("alike")
    for name, seed, size in (("cat/a", 1, (64, 48)), ("cat/small", 1, (32, 24)), ("cat/other", 2, (64, 48))):
        small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = np.kron(small, np.ones((size[1] // 6, size[0] // 8, 1), np.uint8))
        path = root / f"{name}.mp4"
        path.parent.mkdir(exist_ok=True)
        encode_video(path, np.stack([picture] * 10), fps=10)
    (root / "dog").mkdir()
    shutil.copy(root / "cat/a.mp4", root / "cat/copy.mp4")
    shutil.copy(root / "cat/a.mp4", root / "dog/a.mp4")
    (root / "cat/broken.mp4").write_text("no video")
    return root


def test_files_are_compared_within_their_class_and_with_others(folder):
    names = ["cat/a", "cat/small", "cat/other", "cat/copy", "cat/broken", "dog/a"]
    records = tuple(VideoRecord(folder / f"{name}.mp4", int(name[0] == "d"), f"{name}.mp4") for name in names)
    pairs, num_unread = find_alike(Manifest(records, ("cat", "dog")), num_workers=1)
    of_class = [pair for pair in pairs if 5 not in pair]
    assert {frozenset(pair) for pair in of_class} == {frozenset({0, 1}), frozenset({0, 3}), frozenset({1, 3})}
    assert any(5 in pair for pair in pairs[len(of_class) :])
    assert num_unread == 1
