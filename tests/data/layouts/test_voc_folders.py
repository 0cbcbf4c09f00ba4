import pytest

from stvit_video.data.layouts.voc_folders import find_voc_list, find_voc_tree, read_voc_list
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.findings import Findings

NEEDED = ("Maps", "ImageSets")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "VOCdevkit" / "VOC2012"
    (root / "Maps").mkdir(parents=True)
    (root / "ImageSets" / "Some").mkdir(parents=True)
    (root / "ImageSets" / "Some" / "train.txt").write_text("a  1\n\nb -1\n")
    (root / "ImageSets" / "Some" / "bad.txt").write_text("a\nb\na\n")
    (root / "ImageSets" / "Some" / "empty.txt").write_text("\n")
    return root


def test_the_folder_is_found_up_to_two_folders_below(root, tmp_path):
    for place in (root, root.parent, tmp_path):
        assert find_voc_tree(str(place), NEEDED).place == root
    (tmp_path / "VOCdevkit" / "more" / "Maps").mkdir(parents=True)
    with pytest.raises(ManifestError, match="holds the folders Maps, Other not; give as data.root"):
        find_voc_tree(str(root), ("Maps", "Other"))
    with pytest.raises(ManifestError, match="holds the folders Maps 2 times"):
        find_voc_tree(str(tmp_path), ("Maps",))


def test_lists_are_read_and_others_are_named(root):
    tree = find_voc_tree(str(root), NEEDED)
    file = find_voc_list(tree, "ImageSets/Some", "train", part="val", place="here")
    found = Findings()
    assert read_voc_list(tree, file, found) == ["a", "b"]
    assert not found.faults
    with pytest.raises(ManifestError, match=r"data.val_set=test: here has no list ImageSets/Some/test.txt; choose"):
        find_voc_list(tree, "ImageSets/Some", "test", part="val", place="here")
    for name, fault in (("bad", "1 pictures are listed more than once, first: a"), ("empty", "empty.txt is empty")):
        found = Findings()
        read_voc_list(tree, f"ImageSets/Some/{name}.txt", found)
        assert fault in found.faults[0]
