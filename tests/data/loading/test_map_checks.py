from dataclasses import replace

import numpy as np
import pytest
from map_maker import CLASSES, PALETTE, SIZES, coloured, labels_of, read_part, write_map, write_maps
from picture_maker import write_picture

from stvit_video.data.loading.map_checks import count_maps
from stvit_video.data.manifests.class_choice import choose_classes
from stvit_video.data.manifests.class_names import ClassNames, Palette


@pytest.fixture
def root(tmp_path):
    return write_maps(tmp_path)


def rewrite(root, change, *, names=SIZES, part="train"):
    """Write maps of a part anew, each from (labels, name)."""
    for number, name in enumerate(names):
        write_map(root / "maps" / part / f"{name}.png", change(labels_of(SIZES[name], number), name))


def found_in(pictures, part="train", **settings):
    return count_maps(pictures, part, **settings)[1]


def test_pixels_pictures_and_sizes_are_counted(root):
    pictures = read_part(root)
    counts, found = count_maps(pictures, "train")
    every = [pictures.read_map(index) for index in range(3)]
    for label in (0, 1, 2):
        assert counts.labels[label] == sum(int((labels == label).sum()) for labels in every)
        assert counts.pictures[label] == sum(bool((labels == label).any()) for labels in every)
    assert counts.labels[3] == sum(int((labels == 255).sum()) for labels in every)
    assert counts.sizes == dict.fromkeys(SIZES.values(), 1)
    assert (found.faults, found.warnings) == ([], [])


def test_so_many_are_looked_at_spread_over_the_list(root):
    (root / "maps" / "train" / "b.png").write_bytes(b"text")
    assert "1 of 3 train label maps" in found_in(read_part(root)).warnings[0]
    assert found_in(read_part(root), num_opened=2).warnings  # a spread of 3 in steps of 1
    assert count_maps(read_part(root), "train", num_opened=1)[0].num_read == 1


def test_colours_in_place_of_values_are_a_fault_with_a_way_out(root):
    rewrite(root, lambda labels, name: coloured(labels), names="ab")
    [fault] = found_in(read_part(root)).faults
    assert fault.startswith("2 of 3 train label maps that were looked at have colours, for example ")
    assert fault.count(", ") >= 3
    assert "70 130 180" in fault
    assert "data.palette=FILE" in fault


def test_a_palette_makes_labels_of_colours(root):
    rewrite(root, lambda labels, name: coloured(labels))
    colours = {(r << 16) + (g << 8) + b: name for name, (r, g, b) in PALETTE.items()}
    plain = read_part(root)
    chosen = choose_classes(None, palette=Palette("p.txt", CLASSES, colours))
    [fault] = found_in(replace(plain, classes=chosen.classes, rules=chosen.rules)).faults
    assert "have colours of no class, (0 0 0) (" in fault
    assert "without a name there they are not counted" in fault
    chosen = choose_classes(None, palette=Palette("p.txt", CLASSES, colours | {0: ""}))
    pictures = replace(plain, classes=chosen.classes, rules=chosen.rules)
    assert not found_in(pictures).faults
    for index, name in enumerate(SIZES):
        np.testing.assert_array_equal(pictures.read_map(index), labels_of(SIZES[name], index))


def test_values_of_no_class_are_named_with_count_and_example(root):
    def change(labels, name):
        labels[:2, :3] = {"a": 3, "b": 7, "c": 0}[name]
        return labels

    rewrite(root, change)
    [fault] = found_in(read_part(root)).faults
    assert fault.startswith("2 of 3 train label maps that were looked at have values of no class, 3, 7 (")
    pixels = sum(height * width for height, width in SIZES.values())
    assert f"({12 / pixels:.2%} of the pixels, first: {root / 'maps/train/a.png'}, " in fault
    assert f"{root}/classes.txt names 3 classes; add the names that are missing, or give" in fault


def test_values_that_begin_with_one_are_told_of_reduce_zero_label(root):
    rewrite(root, lambda labels, name: np.where(labels == 255, 0, labels + 1).astype(np.uint8))
    [fault] = found_in(read_part(root)).faults
    assert "have values of no class, 3 (" in fault
    assert "names the values 0 to 2; add the name that is missing, or where" in fault
    assert "set data.reduce_zero_label=true" in fault
    pictures = read_part(root)
    names = ClassNames("objectInfo3.txt", {1: "sky", 2: "road", 3: "car"})
    chosen = choose_classes(names, reduce_zero_label=False)
    [fault] = found_in(replace(pictures, names=names, classes=chosen.classes, rules=chosen.rules)).faults
    assert "objectInfo3.txt names no class of the value 0; set data.reduce_zero_label=true" in fault
    chosen = choose_classes(names)
    pictures = replace(pictures, names=names, classes=chosen.classes, rules=chosen.rules)
    assert not found_in(pictures).faults
    np.testing.assert_array_equal(pictures.read_map(0), labels_of(SIZES["a"], 0))


def test_maps_of_16_bits_are_values_like_others(root):
    rewrite(root, lambda labels, name: labels.astype(np.uint16))
    assert not found_in(read_part(root)).faults
    rewrite(root, lambda labels, name: labels.astype(np.uint16) * 100)
    [fault] = found_in(read_part(root)).faults
    assert "no class, 100, 200, 25500 (" in fault


@pytest.mark.parametrize("kept", [["sky", "road"], None])
def test_255_as_an_object_of_two_classes_is_a_fault(root, kept):
    rewrite(root, lambda labels, name: np.where(labels == 1, 255, 0).astype(np.uint8))
    found = found_in(read_part(root, keep_classes=kept))
    if kept is None:  # of three classes one may be missing
        assert not found.faults
        assert found.warnings[0] == "all counted pixels of the 3 train label maps looked at are 'sky'"
        return
    [fault] = found.faults
    assert fault.endswith("where 0 and 255 are two classes, give data.values=[0,255]")
    names = ClassNames("two.txt", {0: "ground", 1: "road"})
    chosen = choose_classes(names, values=[0, 255])
    pictures = replace(read_part(root), names=names, classes=chosen.classes, rules=chosen.rules)
    assert not found_in(pictures).faults
    np.testing.assert_array_equal(pictures.read_map(2), labels_of(SIZES["c"], 2) == 1)


def test_0_and_255_as_two_classes_with_reduce_zero_label_are_a_fault(root):
    rewrite(root, lambda labels, name: np.where(labels == 1, 255, 0).astype(np.uint8))
    names = ClassNames("two.txt", {0: "ground", 1: "road"})
    chosen = choose_classes(names, reduce_zero_label=True)
    [fault] = found_in(replace(read_part(root), names=names, classes=chosen.classes, rules=chosen.rules)).faults
    assert "0 and 255 alone, and neither is counted; " in fault
    assert fault.endswith("give data.values=[0,255] and no data.reduce_zero_label")
    assert "no pixel of the 3" in found_in(read_part(root, reduce_zero_label=True)).faults[0]  # of three classes


def test_reduce_zero_label_that_leaves_one_class_is_told(root):
    rewrite(root, lambda labels, name: (labels == 1).astype(np.uint8))
    warnings = found_in(read_part(root, reduce_zero_label=True)).warnings
    assert "are 'road'; data.reduce_zero_label=true leaves the value 0 out, which may be a class" in warnings[0]


def test_ade20k_read_without_reduce_zero_label_is_told(root):
    names = ClassNames("ade.txt", {0: "wall", 1: "building", 2: "sky"})
    chosen = choose_classes(names)
    pictures = replace(read_part(root), names=names, classes=chosen.classes, rules=chosen.rules)
    [warning] = found_in(pictures).warnings
    assert warning.startswith("the value 0, 'wall', is in all 3 train label maps looked at; in ADE20K")
    rewrite(root, lambda labels, name: np.where(labels == 0, 1, labels).astype(np.uint8), names="c")
    assert not found_in(pictures).warnings


def test_maps_without_counted_pixels_and_classes_without_pixels_are_told(root):
    assert "no pixel of the 3 train label maps" not in str(found_in(read_part(root)).faults)
    rewrite(root, lambda labels, name: np.full_like(labels, 255))
    assert "no pixel of the 3 train label maps" in found_in(read_part(root)).faults[0]
    rewrite(root, lambda labels, name: np.where(labels == 2, 0, labels).astype(np.uint8))
    assert found_in(read_part(root)).warnings == ["1 of 3 classes have no train pixel, first: car"]
    assert not found_in(read_part(root), num_opened=1).warnings


@pytest.mark.parametrize("names", ["b", "abc"])
@pytest.mark.parametrize("part", ["train", "val"])
def test_maps_of_another_size_are_a_fault(root, names, part):
    rewrite(root, lambda labels, name: labels[:-5], names=names)
    [fault] = found_in(read_part(root), part).faults
    start = f"{len(names)} of 3 {part} label maps that were looked at have another size than their picture, first: "
    assert fault.startswith(f"{start}'{root}/images/train/{names[0]}.jpg' is ")
    assert fault.endswith("or scale the map with its nearest pixels; or remove both files")
    assert fault.count("nearest pixels") == 1


def test_maps_whose_sides_are_exchanged_are_told_of_exif(root):
    rewrite(root, lambda labels, name: labels.T if name == "a" else labels[:-5], names="ab")
    [fault] = found_in(read_part(root)).faults
    assert "2 of 3 train label maps" in fault
    assert "60x91: width and height are exchanged | " in fault
    assert "; where the EXIF of a picture turns it" in fault
    assert "; give a picture the map that was drawn on it" in fault


@pytest.mark.parametrize(("names", "all_bad"), [("b", False), ("abc", True)])
def test_maps_that_are_jpegs_are_told_in_one_sentence(root, names, all_bad):
    for name in names:
        place = root / "maps" / "train" / f"{name}.png"
        write_picture(place.with_suffix(".jpg"), seed=1, size=SIZES[name]).rename(place)
    found = found_in(read_part(root))
    [told] = found.faults if all_bad else found.warnings
    start = f"{len(names)} of 3 train label maps that were looked at are JPEGs, which changes values, first: "
    assert told.startswith(f"{start}{root}/maps/train/{names[0]}.png")
    assert told.endswith("and save maps as PNG") if all_bad else "training passes them over" in told


def test_files_that_cant_be_read_are_told_apart(root):
    (root / "images" / "train" / "a.jpg").write_bytes(b"text")
    (root / "maps" / "train" / "b.png").write_bytes(b"text")
    first, second = found_in(read_part(root)).warnings[:2]
    assert first.startswith("1 of 3 train pictures that were looked at can't be read")
    assert second.startswith("1 of 3 train label maps that were looked at can't be read")
    for name in "abc":
        (root / "maps" / "train" / f"{name}.png").write_bytes(b"text")
    assert found_in(read_part(root)).faults[0].endswith("correct these files, or the folders of pictures and maps")
