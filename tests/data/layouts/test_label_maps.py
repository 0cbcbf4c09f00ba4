import pytest
from map_maker import CLASSES, map_settings, write_maps
from picture_maker import pack

from stvit_video.data.layouts.label_maps import find_label_maps
from stvit_video.data.manifests.faults import ManifestError


@pytest.fixture
def root(tmp_path):
    return write_maps(tmp_path / "set")


@pytest.mark.parametrize("packed", [False, True])
def test_both_parts_are_read_on_disk_and_in_an_archive(root, tmp_path, packed):
    place = pack(root, tmp_path / "set.zip") if packed else root
    for part in ("train", "val"):
        pictures = find_label_maps(part, known_classes=None, **map_settings(place))()
        assert [record.picture_id for record in pictures.pictures] == ["a", "b", "c"]
        assert all(part in record.place and part in record.map_file.place for record in pictures.pictures)
        assert tuple(pictures.names.names.values()) == CLASSES
        assert pictures.read_stored(0).shape == (60, 91)


def test_a_file_of_classes_is_taken_and_may_be_absent(root):
    (root / "other.txt").write_text("x\ny\nz\n")
    settings = map_settings(root)
    named = find_label_maps("val", known_classes=None, **settings, classes=str(root / "other.txt"))()
    assert tuple(named.names.names.values()) == ("x", "y", "z")
    del settings["root"]
    assert find_label_maps("val", known_classes=None, **settings)().names is None


def test_ends_of_names_are_taken_away(root):
    for path in (root / "maps" / "train").iterdir():
        path.rename(path.with_stem(f"{path.stem}_L"))
    settings = map_settings(root)
    with pytest.raises(ManifestError, match="such as a_L.png; .*data.map_suffix"):
        find_label_maps("train", known_classes=None, **settings)()
    assert len(find_label_maps("train", known_classes=None, **settings, map_suffix="_L")().records) == 3


def test_folders_that_are_missing_are_named(root):
    with pytest.raises(ValueError, match="data.source=label_maps needs data.train_images"):
        find_label_maps("train", known_classes=None)
    settings = map_settings(root) | {"val_maps": str(root / "none")}
    with pytest.raises(ManifestError, match="data.val_maps: there is no .*none"):
        find_label_maps("val", known_classes=None, **settings)
    find_label_maps("train", known_classes=None, **settings)
