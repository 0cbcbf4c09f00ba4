import json

import pytest

from stvit_video.data.manifests.class_names import parse_class_names, parse_palette
from stvit_video.data.manifests.faults import ManifestError

TABLE = (
    "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.1576\t11664\t1172\t1\twall\n2\t0.1072\t6046\t612\t1\tbuilding, edifice\n"
)


def names_of(text, source="classes.txt"):
    return dict(parse_class_names(text.encode(), source=source).names)


def test_a_name_a_line_is_that_of_the_values_from_0_on():
    assert names_of("sky\n  road \n\ntraffic light\n") == {0: "sky", 1: "road", 2: "traffic light"}
    assert names_of("\ufeffsky\r\nroad") == {0: "sky", 1: "road"}


def test_json_is_a_list_or_has_values():
    assert names_of(json.dumps(["sky", "road"]), "classes.json") == {0: "sky", 1: "road"}
    assert names_of('{"7": "road", "0": "sky"}', "a.JSON") == {0: "sky", 7: "road"}


def test_a_table_of_ade20k_has_values_and_the_first_of_synonyms():
    assert names_of(TABLE) == {1: "wall", 2: "building"}
    assert names_of(TABLE + "3\t0\t0\t0\t0\twall, other\n") == {1: "wall", 2: "building, edifice", 3: "wall, other"}


@pytest.mark.parametrize(
    ("text", "source", "fault"),
    [
        ("", "classes.txt", "names 0 classes"),
        ("a\nb\na\n", "classes.txt", "names the class 'a' twice"),
        ("\n".join(f"c{n}" for n in range(256)), "classes.txt", "names 256 classes; 1 to 255"),
        ("{", "classes.json", "is no JSON"),
        ("[1, 2]", "classes.json", "holds no names of classes"),
        ('{"a": "sky"}', "classes.json", "holds no names of classes"),
        ("Number\tName\n1\tsky\n", "info.txt", "no columns Idx and Name"),
        ("Idx\tName\n1\tsky\n1\troad\n", "info.txt", "an Idx twice"),
        ("Idx\tName\nx\tsky\n", "info.txt", "Idx 'x'"),
    ],
)
def test_files_that_name_no_classes_are_told(text, source, fault):
    with pytest.raises(ManifestError, match=f"{source}.*(.|\n)*{fault}"):
        names_of(text, source)


def test_other_encodings_are_told():
    with pytest.raises(ManifestError, match=r"classes.txt is no text in UTF-8"):
        parse_class_names("ä".encode("latin-1"), source="classes.txt")


@pytest.mark.parametrize(
    "line", ["road 128 64 0", "128 64 0 road", "road,128,64,0", "128\t64\t0\t\troad", "road: 128 64 0", "road #804000"]
)
def test_colours_of_classes_are_read_in_the_usual_forms(line):
    palette = parse_palette(f"{line}\ntraffic light 1 2 3\n".encode(), source="p.txt")
    assert palette.classes == ("road", "traffic light")
    assert palette.colours == {0x804000: "road", 0x010203: "traffic light"}


def test_headings_names_with_numbers_and_colours_without_a_name():
    palette = parse_palette(b"name,r,g,b\nlane 2,0,0,255\n0 0 0\nlane 2,9,9,9\n", source="p.csv")
    assert palette.classes == ("lane 2",)
    assert palette.colours == {255: "lane 2", 0: "", 0x090909: "lane 2"}
    palette = parse_palette(b'{"road": [128, 64, 0]}', source="p.json")
    assert palette.colours == {0x804000: "road"}


@pytest.mark.parametrize(
    ("text", "source", "fault"),
    [
        ("road 128 64 0\nsky 300 0 0\n", "p.txt", "line 2: 'sky 300 0 0' has no colour"),
        ("road 128 64 0\nsky 128 64 0\n", "p.txt", "line 2: the colour of 'sky' is that of 'road'"),
        ("0 0 0\n", "p.txt", "names 0 classes"),
        ("[1]", "p.json", "holds no names with colours"),
        ('{"road": [1, 2]}', "p.json", "'road' has no colour"),
    ],
)
def test_palettes_that_cant_be_used_are_told(text, source, fault):
    with pytest.raises(ManifestError, match=fault):
        parse_palette(text.encode(), source=source)
