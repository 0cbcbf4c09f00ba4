import pytest
from map_maker import write_maps
from picture_maker import pack

from stvit_video.data.layouts.ade import find_ade
from stvit_video.data.manifests.faults import ManifestError

NAMES = {"train": "training", "val": "validation"}


@pytest.fixture
def root(tmp_path):
    root = write_maps(tmp_path / "set" / "ADEChallengeData2016")
    (root / "maps").rename(root / "annotations")
    for folder in ("images", "annotations"):
        for part, name in NAMES.items():
            (root / folder / part).rename(root / folder / name)
    (root / "classes.txt").unlink()
    (root / "objectInfo150.txt").write_text("Idx\tName\n1\twall\n2\tsky, air\n3\tcar\n")
    return root


@pytest.mark.parametrize("kind", ["folder", "archive", "archive with a folder", "folder in an archive"])
def test_both_parts_are_read_on_disk_and_in_an_archive(root, tmp_path, kind):
    archive = pack(root, tmp_path / "x.zip", below="top/" if "with" in kind else "")
    place = {"folder": root, "folder in an archive": pack(root.parent, tmp_path / "y.zip") / root.name}.get(
        kind, archive
    )
    for part, name in NAMES.items():
        pictures = find_ade(part, known_classes=None, root=str(place))()
        assert [record.picture_id for record in pictures.pictures] == ["a", "b", "c"]
        assert all(f"images/{name}/" in record.place for record in pictures.pictures)
        assert all(f"annotations/{name}/" in record.map_file.place for record in pictures.pictures)
        assert pictures.names.names == {1: "wall", 2: "sky", 3: "car"}
        assert pictures.read_stored(1).shape == (75, 40)


def test_other_names_of_parts_and_classes_that_are_given(root):
    for folder in ("images", "annotations"):
        (root / folder / "validation").rename(root / folder / "val")
    (root / "mine.json").write_text('["a", "b"]')
    pictures = find_ade("val", known_classes=None, root=str(root), classes=str(root / "mine.json"))()
    assert pictures.names.names == {0: "a", 1: "b"}


def test_folders_that_are_missing_are_told_with_a_way_out(root, tmp_path):
    (root / "annotations" / "validation").rename(root / "annotations" / "other")
    with pytest.raises(
        ManifestError, match="no folders images/validation and annotations/validation; .*data=label_maps"
    ):
        find_ade("val", known_classes=None, root=str(root))
    find_ade("train", known_classes=None, root=str(root))
    with pytest.raises(ManifestError, match="data.root: there is no"):
        find_ade("train", known_classes=None, root=str(tmp_path / "none"))
    with pytest.raises(ValueError, match="data.source=ade needs data.root"):
        find_ade("train", known_classes=None)
