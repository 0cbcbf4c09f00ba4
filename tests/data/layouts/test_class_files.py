import pytest
from picture_maker import pack

from stvit_video.data.layouts.class_files import class_names_of, find_class_file, read_palette
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards.file_tree import open_tree

FILES = {
    "objectInfo2.txt": "Idx\tName\n1\twall\n2\tsky\n",
    "classes.json": '["a", "b"]',
    "classes.txt": "x\ny\n",
    "deep/names.txt": "one\n",
    "p.txt": "1 2 3 road\n",
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text(text)
    return tmp_path / "set"


@pytest.mark.parametrize("packed", [False, True])
def test_the_usual_files_are_found_in_their_order(root, tmp_path, packed):
    for first in ("objectInfo2.txt", "classes.json", "classes.txt"):
        tree = open_tree(pack(root, tmp_path / f"{first}.zip") if packed else root)
        assert find_class_file(tree) == first
        names = class_names_of(None, tree)
        assert names.source == f"{tree.place}/{first}"
        assert next(iter(names.names.values())) == {"o": "wall", "c": "a" if "json" in first else "x"}[first[0]]
        (root / first).unlink()
    assert class_names_of(None, open_tree(pack(root, tmp_path / "none.zip") if packed else root)) is None
    assert class_names_of(None, None) is None


def test_a_file_that_is_given_comes_first_also_in_an_archive(root, tmp_path):
    assert class_names_of(str(root / "deep/names.txt"), open_tree(root)).names == {0: "one"}
    archive = pack(root, tmp_path / "set.zip", below="top/")
    assert class_names_of(f"{archive}/deep/names.txt", None).names == {0: "one"}
    assert read_palette(f"{archive}/p.txt").colours == {0x010203: "road"}
    assert read_palette(str(root / "p.txt")).classes == ("road",)


def test_files_that_are_not_there_are_named(root, tmp_path):
    with pytest.raises(ManifestError, match=r"data.classes=.*none.txt can't be read"):
        class_names_of(str(root / "none.txt"), None)
    archive = pack(root, tmp_path / "set.zip")
    with pytest.raises(ManifestError, match=r"data.palette=.*none.txt: .* has no none.txt; correct the path"):
        read_palette(f"{archive}/none.txt")
