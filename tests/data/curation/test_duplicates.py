"""Duplicates: near pairs against a slow loop, groups by hand, and a real re-encoded copy."""

import csv

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from video_cases import real_case

from stvit_video.data.curation import duplicates
from stvit_video.data.curation.duplicates import (
    DuplicateGroup,
    HashTable,
    Listed,
    find_exact,
    find_near,
    find_shared_sources,
    near_pairs,
    source_name,
    write_duplicates,
)
from stvit_video.data.curation.scan import VideoReport, inspect_video
from stvit_video.data.curation.transcode import Encoding, Job, transcode
from stvit_video.data.synthetic.dataset import encode_video


def slow_pairs(first, second, limit):
    """All near pairs by loops over Python integers."""
    found = []
    for i, (hashes, known) in enumerate(zip(*first, strict=True)):
        for j, (others, seen) in enumerate(zip(*second, strict=True)):
            both = [k for k in range(len(hashes)) if known[k] and seen[k]]
            bits = [bin(int(hashes[k]) ^ int(others[k])).count("1") for k in both]
            if len(bits) >= 3 and max(bits) <= limit:
                found.append((i, j, max(bits)))
    return found


@pytest.mark.parametrize("pairs_at_once", [1, 20, 1000])
def test_near_pairs_against_a_loop(monkeypatch, pairs_at_once):
    monkeypatch.setattr(duplicates, "MAX_PAIRS_AT_ONCE", pairs_at_once)
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2**64, (1, 5), dtype=np.uint64)
    flips = [np.bitwise_xor(base, rng.integers(0, 2**k, (n, 5), dtype=np.uint64)) for k, n in ((3, 5), (9, 6))]
    some, every = rng.random((11, 5)) < 0.7, np.ones((6, 5), bool)
    tables = HashTable(np.concatenate(flips), some), HashTable(flips[1], every)
    expected = slow_pairs(*tables, 5)
    assert 3 < len(expected) < 60
    assert list(near_pairs(*tables, max_distance_bits=5)) == expected


def test_exact_groups_leaks_and_labels():
    digests = {"a.mp4": "1", "b.mp4": "2", "c.mp4": "1", "d.mp4": "3", "e.mp4": "3", "bad.mp4": "", "worse.mp4": ""}
    reports = {path: VideoReport(path, digest=digest) for path, digest in digests.items()}
    listed = [
        Listed("a.mp4", "train", "run"),
        Listed("a.mp4", "train", "run"),  # another segment
        Listed("b.mp4", "train", "run"),
        Listed("b.mp4", "val", "run"),
        Listed("c.mp4", "val", "sit"),
        *[Listed(name, "train", "run") for name in ("d.mp4", "e.mp4", "bad.mp4", "worse.mp4")],
    ]
    groups = find_exact(listed, reports)
    found = [([member.path for member in group.members], group.is_leak, group.labels_differ) for group in groups]
    assert found == [
        (["a.mp4", "c.mp4"], True, True),
        (["b.mp4", "b.mp4"], True, False),
        (["d.mp4", "e.mp4"], False, False),
    ]


def smooth_video(path, *, seed):
    """Soft random blobs that drift, 192 x 144: what still looks alike at another size and quality."""
    blobs = torch.rand((1, 3, 5, 7), generator=torch.Generator().manual_seed(seed))
    picture = (255 * F.interpolate(blobs, (144, 192), mode="bicubic")[0].clamp(0, 1)).byte().permute(1, 2, 0).numpy()
    encode_video(path, np.stack([np.roll(picture, 2 * shift, axis=1) for shift in range(32)]), fps=30)
    return path


@pytest.fixture(params=["made", pytest.param("real", marks=pytest.mark.real_data)])
def different_videos(request, tmp_path):
    """Three videos of different things."""
    if request.param == "real":
        return [real_case(name).path for name in ("short_32.mp4", "rotated_90.mov", "h265.mp4")]
    return [smooth_video(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(3)]


def test_a_smaller_copy_of_a_video_is_near_and_others_are_not(tmp_path, different_videos):
    original, *others = map(str, different_videos)
    copy = str(tmp_path / "copy.mp4")
    transcode(Job(original, copy), encoding=Encoding(short_side=112, crf=32))
    paths = [original, copy, *others]
    reports = {path: inspect_video(path, frames="some") for path in paths}
    listed = [Listed(path, "train" if path == original else "val", "run") for path in paths]
    (group,) = find_near(listed, reports)
    assert (group.kind, [member.path for member in group.members]) == ("near", [original, copy])
    assert 0 <= group.distance_bits <= 8
    assert find_exact(listed, reports) == []
    assert find_near(listed[:1], reports) == []
    same = {path: VideoReport(path, digest="1", frame_hashes=(1, 2, 4, 8, 16)) for path in paths}
    assert find_near(listed, same) == []  # byte by byte the same: exact, not near


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("x/-0a_bcdefgh_000012_000022.mp4", "-0a_bcdefgh"),
        ("v_ApplyEyeMakeup_g08_c01.avi", "v_ApplyEyeMakeup_g08"),
        ("abcdefghijk.mp4", None),
        ("/d/000.tar: -0a_bcdefgh_000012_000022.mp4", "-0a_bcdefgh"),
        ("fi001.mp4", None),
    ],
)
def test_source_names(path, name):
    assert source_name(path) == name


def test_shared_sources_are_reported_across_parts_only():
    names = {"v_Run_g01_c01.avi": "train", "v_Run_g01_c02.avi": "train", "v_Run_g02_c01.avi": "train"}
    listed = [Listed(path, part, "run") for path, part in names.items()]
    assert find_shared_sources(listed) == []
    (group,) = find_shared_sources([*listed, Listed("v_Run_g02_c05.avi", "val", "run")])
    assert [member.path for member in group.members] == ["v_Run_g02_c01.avi", "v_Run_g02_c05.avi"]
    assert group.kind == "source"


def test_table(tmp_path):
    members = (Listed("a, b.mp4", "train", "run"), Listed("c.mp4", "val", "sit"))
    write_duplicates(tmp_path / "d.csv", [DuplicateGroup("near", members, 6), DuplicateGroup("exact", members[:1] * 2)])
    with (tmp_path / "d.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["group"] for row in rows] == ["0", "0", "1", "1"]
    assert [rows[1][key] for key in ("kind", "distance_bits", "leak", "labels_differ", "part", "label", "path")] == [
        *("near", "6", "yes", "yes", "val", "sit", "c.mp4")
    ]
    assert (rows[2]["distance_bits"], rows[2]["leak"]) == ("", "no")


@pytest.mark.parametrize("limit", [-1, 65])
def test_limit_out_of_range(limit):
    with pytest.raises(ValueError, match=rf"max_distance_bits={limit} .*0 to 64\b"):
        find_near([], {}, max_distance_bits=limit)
