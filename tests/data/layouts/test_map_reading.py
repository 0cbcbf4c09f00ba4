import numpy as np
import pytest
from map_maker import labels_of, write_map
from picture_maker import pack, write_picture

from stvit_video.data.layouts.map_reading import MapPair, list_maps, pair_files, read_pairs
from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.findings import Findings
from stvit_video.data.shards.file_tree import open_place

SIZE = (30, 41)


def write(root, pictures, maps):
    for name in pictures:
        write_picture(root / "images" / name, seed=1, size=SIZE)
    for name in maps:
        write_map(root / "maps" / name, labels_of(SIZE))
    (root / "images").mkdir(exist_ok=True, parents=True)
    (root / "maps").mkdir(exist_ok=True)
    return open_place(root / "images"), open_place(root / "maps")


def test_files_of_equal_names_are_pairs_folders_included(tmp_path):
    trees = write(tmp_path, ["b.jpg", "city/a.png", "c.jpg"], ["city/a.png", "b.png", "d.png"])
    (tmp_path / "maps" / "notes.txt").touch()
    (tmp_path / "images" / ".hidden.jpg").touch()
    pairs, found = pair_files(*trees, part="train")
    assert pairs == [MapPair("b", "b.jpg", "b.png"), MapPair("city/a", "city/a.png", "city/a.png")]
    assert found.faults == [
        f"1 of 3 train pictures have no label map of the same name in {tmp_path}/maps, first: c.jpg; add each label "
        "map, or remove these pictures",
        f"1 of 3 train label maps have no picture of the same name in {tmp_path}/images, first: d.png; add each "
        "picture, or remove these label maps",
    ]
    pictures = read_pairs(*trees, part="train", names=None)
    assert (len(pictures.records), pictures.faults) == (2, tuple(found.faults))


def test_ends_of_names_may_differ(tmp_path):
    trees = write(tmp_path, ["a_image.jpg", "b_image.jpg", "c.jpg"], ["a_mask.png", "a_edges.png", "b_mask.png"])
    pairs, found = pair_files(*trees, picture_suffix="_image", map_suffix="_mask", part="val")
    assert [pair.stem for pair in pairs] == ["a", "b"]
    assert (found.faults, found.warnings) == ([], [])
    _, found = pair_files(*trees, part="val")
    assert found.faults == [
        f"no val picture has a label map of the same name: {tmp_path}/images has 3 such as a_image.jpg, "
        f"{tmp_path}/maps 3 such as a_edges.png; give them the same names, or the ends that differ: "
        "data.picture_suffix=_image data.map_suffix=_mask"
    ]


@pytest.mark.parametrize(
    ("pictures", "maps", "fault"),
    [
        ([], ["a.png"], "there are no train pictures in .*images"),
        (["a.jpg"], [], "there are no train label maps in .*maps"),
    ],
)
def test_lists_that_cant_be_used_are_told(tmp_path, pictures, maps, fault):
    with pytest.raises(ManifestError, match=fault):
        read_pairs(*write(tmp_path, pictures, maps), part="train", names=None)


def test_names_that_stand_twice_are_a_fault(tmp_path):
    pictures = read_pairs(*write(tmp_path, ["a.jpg", "a.png"], ["a.png"]), part="train", names=None)
    [fault] = pictures.faults
    assert fault.startswith("1 names of train pictures stand twice with different endings, first: a.jpg and a.png; ")


def test_records_name_their_files_also_in_an_archive(tmp_path):
    write(tmp_path / "set", ["city/a.png"], ["city/a.png"])
    archive = pack(tmp_path / "set", tmp_path / "set.zip")
    for place in (tmp_path / "set", archive):
        pictures = read_pairs(open_place(place / "images"), open_place(place / "maps"), part="train", names=None)
        (record,) = pictures.pictures
        assert (record.video_id, record.picture_id) == ("city/a.png", "city/a")
        with open_image(record) as picture:
            assert (picture.height, picture.width) == SIZE
        np.testing.assert_array_equal(pictures.read_stored(0), labels_of(SIZE))


def test_a_pair_whose_files_are_absent_stays_in_the_list(tmp_path):
    trees = write(tmp_path, ["a.jpg"], ["a.png"])
    pairs = [MapPair("z", "z.jpg", "z.png")]
    (record,) = list_maps(pairs, *trees, names=None, found=Findings()).pictures
    assert (record.path, record.map_file.path) == (tmp_path / "images/z.jpg", tmp_path / "maps/z.png")
