import numpy as np
import pytest
from picture_maker import pack, write_picture

from stvit_video.data.layouts.voc_boxes import find_voc_boxes
from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.faults import ManifestError

SIZES = {"a": (60, 91), "b": (75, 40), "c": (50, 50)}
OBJECTS = {"a": [("dog", 8, 12, 20, 30, 0), ("cat", 1, 1, 91, 60, 0)], "b": [("dog", 3, 4, 9, 9, 1)], "c": []}


def write_xml(path, size, objects):
    rows = "".join(
        f"<object><name>{name}</name><difficult>{hard}</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for name, x1, y1, x2, y2, hard in objects
    )
    head = f"<filename>{path.stem}.jpg</filename><size><width>{size[1]}</width><height>{size[0]}</height></size>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation>{head}{rows}</annotation>")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "VOCdevkit" / "VOC2012"
    for seed, (stem, size) in enumerate(SIZES.items()):
        write_picture(root / "JPEGImages" / f"{stem}.jpg", seed=seed, size=size)
        write_xml(root / "Annotations" / f"{stem}.xml", size, OBJECTS[stem])
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\n\n")
    (lists / "val.txt").write_text("c\n")
    (lists / "dog_train.txt").write_text("a  1\nb -1\n")
    return root


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_boxes_are_read_on_disk_and_in_an_archive(root, tmp_path, packed, above):
    place = root if above == 0 else root.parents[above - 1]
    place = pack(place, tmp_path.parent / f"{tmp_path.name}.zip") if packed else place
    pictures = find_voc_boxes("train", known_classes=None, root=str(place))()
    assert pictures.classes == ("cat", "dog")
    assert pictures.category_ids == (1, 2)
    assert [record.picture_id for record in pictures.pictures] == ["a", "b"]
    objects = pictures.objects_of(pictures.pictures[0])
    np.testing.assert_array_equal(objects.boxes, [[7, 11, 20, 30], [0, 0, 91, 60]])
    assert objects.labels.tolist() == [1, 0]
    assert pictures.objects.crowd.tolist() == [False, False, True]
    for record in pictures.pictures:
        with open_image(record) as picture:
            assert (picture.height, picture.width) == record.stated_size == SIZES[record.picture_id]


def test_classes_of_training_are_those_of_validation(root):
    val = find_voc_boxes("val", known_classes=("cat", "dog"), root=str(root))()
    assert val.classes == ("cat", "dog")
    assert len(val.objects) == 0
    with pytest.raises(ManifestError, match="1 classes of the objects are none of the 1 .*first: dog"):
        find_voc_boxes("train", known_classes=("cat",), root=str(root))()


def test_another_list_is_chosen_by_its_name(root):
    pictures = find_voc_boxes("val", known_classes=None, root=str(root), val_set="dog_train")()
    assert [record.picture_id for record in pictures.pictures] == ["a", "b"]
    with pytest.raises(ManifestError, match=r"data.val_set=test: .*choose one of dog_train, train, val"):
        find_voc_boxes("val", known_classes=None, root=str(root), val_set="test")


def test_folders_that_are_missing_or_there_twice_are_told(root, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ManifestError, match="Annotations, JPEGImages, ImageSets not;"):
        find_voc_boxes("train", known_classes=None, root=str(tmp_path / "empty"))
    for folder in ("Annotations", "JPEGImages", "ImageSets"):
        (root.parent / "VOC2007" / folder).mkdir(parents=True)
    with pytest.raises(ManifestError, match="2 times; give as data.root the one"):
        find_voc_boxes("train", known_classes=None, root=str(root.parent))


def test_all_faults_of_the_annotations_are_told_at_once(root):
    (root / "Annotations" / "a.xml").write_text("<annotation>")
    (root / "ImageSets" / "Main" / "train.txt").write_text("a\nb\nb\nnone\n")
    with pytest.raises(ManifestError, match=r"3 fault(.|\n)*first: b;(.|\n)*a.xml: it is no XML(.|\n)*none.xml"):
        find_voc_boxes("train", known_classes=None, root=str(root))()


def test_absent_pictures_are_told(root):
    (root / "JPEGImages" / "b.jpg").unlink()
    pictures = find_voc_boxes("train", known_classes=None, root=str(root))()
    assert "1 of 2 pictures are not in" in pictures.warnings[0]
    (root / "JPEGImages" / "a.jpg").unlink()
    with pytest.raises(ManifestError, match="none of its 2 pictures is in .*JPEGImages"):
        find_voc_boxes("train", known_classes=None, root=str(root))()
