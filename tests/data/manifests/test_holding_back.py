import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.holding_back import class_groups, describe_parts, hold_back, part_of, place_of
from stvit_video.data.manifests.manifest import Manifest, VideoRecord


def manifest_of(names):
    """Labelled by the folder of each name."""
    classes = tuple(sorted({name.partition("/")[0] for name in names}))
    return Manifest(tuple(VideoRecord(Path(n), classes.index(n.partition("/")[0]), n) for n in names), classes)


def held_names(names, alike=(), **settings):
    manifest = manifest_of(names)
    held = hold_back(manifest, alike=alike, **{"fraction": 0.2, "by": "name"} | settings)
    return {record.video_id for record in part_of(manifest, held, "val").records}


def test_both_parts_together_are_the_whole_in_its_order():
    names = [f"{label}/{number}.mp4" for label in ("run", "jump") for number in range(17)]
    manifest = manifest_of(names)
    held = hold_back(manifest, fraction=0.3, by="name")
    train, val = (part_of(manifest, held, part) for part in ("train", "val"))
    assert [one for one in manifest.records if one in train.records] == list(train.records)
    assert sorted(one.video_id for part in (train, val) for one in part.records) == sorted(names)
    assert train.classes == val.classes == ("jump", "run")


def test_the_share_is_met_on_average():
    names = [f"{label}/{number}.mp4" for label in "abcde" for number in range(400)]
    assert len(held_names(names)) == pytest.approx(400, abs=4 * (2000 * 0.2 * 0.8) ** 0.5)
    assert len(held_names(names, fraction=0.5)) == pytest.approx(1000, abs=4 * (2000 * 0.25) ** 0.5)


def test_a_place_is_of_the_name_alone():
    """Another program's answer: printf run/a.mp4 | b2sum -l 56."""
    assert place_of("run/a.mp4") == 0x8491F49C0C10C0 / 2**56


@pytest.mark.parametrize("by", ["name", "group"])
def test_a_video_that_was_trained_on_stays_there_when_files_are_added(by):
    """Classes of many recordings, of which each has a few pieces; the rule of at least one does not come in."""
    drawn = random.Random(5)
    names = [f"{label}/rec{n}_{piece}.mp4" for label in ("cat", "dog") for n in range(60) for piece in range(3)]
    drawn.shuffle(names)
    trained: set[str] = set()
    validated: set[str] = set()
    for count in (120, 200, 300, 360):
        held = held_names(names[:count], by=by)
        assert not held & trained
        assert validated <= held  # nor do validation videos move
        trained |= set(names[:count]) - held
        validated = held


def test_alike_videos_that_are_added_move_nothing_into_validation():
    names = [f"{label}/{number}.mp4" for label in ("cat", "dog") for number in range(50)]
    before = held_names(names)
    in_train = next(at for at, name in enumerate(names) if name not in before)
    in_val = next(at for at, name in enumerate(names) if name in before and at // 50 == in_train // 50)
    after = held_names([*names, "cat/new.mp4"], alike=[(in_train, 100), (100, in_val)])
    assert after == before - {names[in_val]}


@given(
    sizes=st.lists(st.lists(st.integers(1, 4), min_size=2, max_size=6), min_size=1, max_size=4),
    fraction=st.floats(0.01, 0.99),
)
def test_each_part_has_each_class_and_no_group_is_cut(sizes, fraction):
    names = [
        f"c{label}/take{label}{group}_{piece}.mp4"
        for label, groups in enumerate(sizes)
        for group, size in enumerate(groups)
        for piece in range(size)
    ]
    held = held_names(names, fraction=fraction, by="group")
    for label in range(len(sizes)):
        own = {name for name in names if name.startswith(f"c{label}/")}
        assert own & held
        assert own - held
    groups = {name.rpartition("_")[0] for name in names}
    assert all(len({name in held for name in names if name.startswith(f"{group}_")}) == 1 for group in groups)


def test_what_is_more_than_half_a_class_is_trained_on():
    names = [*(f"cat/cam1_{n}.mp4" for n in range(18)), "cat/cam2_0.mp4", "cat/cam2_1.mp4", "dog/a.mp4", "dog/b.mp4"]
    for fraction in (0.05, 0.95):
        assert {n for n in held_names(names, fraction=fraction, by="group") if "cat" in n} == set(names[18:20])


def test_a_class_of_one_series_is_divided_by_its_names():
    names = [f"cat/ucf101_{number:03}.mp4" for number in range(40)]
    groups = class_groups(manifest_of(names), range(40), by="group")
    assert [group.members for group in groups] == [(number,) for number in range(40)]


def test_alike_videos_of_two_classes_are_not_joined():
    names = ["cat/a.mp4", "cat/b.mp4", "dog/a.mp4", "dog/b.mp4"]
    assert len(held_names(names, alike=[(0, 2), (1, 3), (0, 3)])) == 2


def test_classes_that_can_not_be_divided_are_told_together():
    names = ["cat/a.mp4", "dog/a.mp4", "dog/b.mp4", "dog/c.mp4", "run/a.mp4", "run/b.mp4"]
    with pytest.raises(ManifestError) as told:
        held_names(names, alike=[(1, 2), (3, 2)])
    assert re.search("^2 class.*'cat' has one video, 'dog' has 3 videos that are all alike; .*two", str(told.value))


def test_the_line_names_counts_share_and_imbalance():
    names = [*(f"cat/{n}.mp4" for n in range(9)), *(f"dog/{n}.mp4" for n in range(3))]
    manifest = manifest_of(names)
    train, val = (part_of(manifest, frozenset({0, 11}), part) for part in ("train", "val"))
    line = describe_parts(train, val, fraction=0.2, by="name")
    assert line.startswith("split: 10 train, 2 val (17%, data.val_fraction=0.2 by name); ")
    assert "cat 8/1, dog 2/1; unbalanced, the largest class has 4.0 times" in line
    even = part_of(manifest, frozenset({0, 1, 2, 3, 4, 5, 11}), "train")
    assert "unbalanced" not in describe_parts(even, val, fraction=0.2, by="name")
