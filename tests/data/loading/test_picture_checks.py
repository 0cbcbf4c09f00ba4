import shutil

import pytest
from coco_maker import DOCUMENT, document, read_part, write_coco
from picture_maker import pack, write_picture
from PIL import Image

from stvit_video.data.loading.picture_checks import check_copies, check_depth, check_files, size_findings


def test_good_files_pass_also_in_an_archive(tmp_path):
    root = write_coco(tmp_path / "set")
    for place in (root, pack(root, tmp_path / "set.zip")):
        found = check_files(read_part(place), "train")
        assert not found.faults
        assert not found.warnings


def test_some_files_that_cant_be_read_are_a_warning_and_all_a_fault(tmp_path):
    pictures = read_part(write_coco(tmp_path))
    (tmp_path / "train" / "a.png").write_bytes(b"text")
    (tmp_path / "train" / "b.png").write_bytes(b"")
    found = check_files(pictures, "train")
    assert not found.faults
    assert "2 of 3 train pictures that were looked at can't be read" in found.warnings[0]
    assert "a.png" in found.warnings[0]
    assert "b.png" in found.warnings[0]
    (tmp_path / "train" / "b.png").unlink()  # reading a list tells what is not there
    assert "1 of 2 train pictures" in check_files(pictures, "train").warnings[0]
    (tmp_path / "train" / "c.png").write_bytes(b"text")
    assert "2 of 2" in check_files(pictures, "train").faults[0]


def test_so_many_are_looked_at_spread_over_the_list(tmp_path):
    pictures = read_part(write_coco(tmp_path))
    for name in "bc":
        (tmp_path / "train" / f"{name}.png").write_bytes(b"text")
    assert not check_files(pictures, "train", num_opened=1).warnings
    assert "2 of 3" in check_files(pictures, "train", num_opened=None).warnings[0]


def test_other_sizes_than_stated_are_told(tmp_path):
    root = write_coco(tmp_path)
    write_picture(root / "train" / "b.png", seed=0, size=(40, 75))
    found = check_files(read_part(root), "train")
    assert "1 of 3 train pictures that were looked at have another size than is stated" in found.warnings[0]
    assert "75x40 pixels, its annotations are for 40x75: width and height are exchanged" in found.warnings[0]
    assert "EXIF" not in found.warnings[0]
    images = [row | {"width": row["width"] + 1} for row in DOCUMENT["images"]]
    wrong = read_part(write_coco(tmp_path / "all", documents={"train": document(images=images)}))
    assert "3 of 3" in check_files(wrong, "train").faults[0]
    assert not size_findings(
        wrong.pictures, {record.place: record.stated_size for record in wrong.pictures}, "x"
    ).faults


def test_pictures_of_16_bits_are_told(tmp_path):
    root = write_coco(tmp_path)
    with Image.open(root / "train" / "c.png") as picture:
        picture.convert("L").convert("I;16").save(root / "train" / "c.png")
    [warning] = check_files(read_part(root), "train").warnings
    assert check_depth(read_part(root), "train").warnings == [warning]
    assert "1 of 3 train pictures that were looked at have more than 8 bits" in warning
    assert "c.png" in warning


@pytest.mark.parametrize(("name", "turn", "told"), [("c.png", 6, True), ("c.png", 1, False), ("a.png", 3, True)])
def test_a_turn_that_the_size_does_not_tell_is_told(tmp_path, name, turn, told):
    root = write_coco(tmp_path)
    with Image.open(root / "train" / name) as picture:
        exif = picture.getexif()
        exif[0x0112] = turn
        picture.save(root / "train" / name, exif=exif)
    warnings = check_files(read_part(root), "train").warnings
    assert len(warnings) == told
    for warning in warnings:
        assert "1 of 3 train pictures that were looked at are turned as their EXIF says" in warning
        assert name in warning
        assert "upright" in warning


def test_what_happens_to_unread_pictures_is_told_of_each_part(tmp_path):
    root = write_coco(tmp_path)
    for part, then in (("train", "training passes them over"), ("val", "the scores are without them")):
        (root / part / "a.png").write_bytes(b"text")
        [warning] = check_files(read_part(root, part), part).warnings
        assert warning.endswith(f"; {then}" + " (up to data.max_skipped_fraction)" * (part == "train"))


def test_copies_are_found_by_their_bytes(tmp_path):
    root = write_coco(tmp_path)
    assert not check_copies(read_part(root), read_part(root, "val")).warnings
    shutil.copy(root / "train" / "a.png", root / "val" / "a.png")
    shutil.copy(root / "train" / "b.png", root / "val" / "b.png")
    places = root, pack(root, tmp_path / "set.zip")
    for place in places:
        [warning] = check_copies(read_part(place), read_part(place, "val")).warnings
        assert "2 of 3 val pictures are copies of train pictures, first: a.png is a.png, b.png is b.png" in warning
    assert not check_copies(read_part(root), read_part(root, "val"), max_read=3).warnings
    assert check_copies(read_part(root), read_part(root, "val"), max_read=4).warnings
    (root / "val" / "a.png").unlink()
    assert "1 of 3" in check_copies(read_part(root), read_part(root, "val")).warnings[0]
