import pytest

from stvit_video.data.layouts.voc_xml import VocObject, VocPicture, read_voc_xml

BOX = "<bndbox><xmin>8</xmin><ymin>12.5</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>"
OBJECT = "<object><name> cat </name>{}" + BOX + "</object>"
START = "<annotation><filename>a.jpg</filename><size><width>91</width><height>60</height><depth>3</depth></size>"


def text(*objects, start=START):
    return (start + "".join(objects) + "</annotation>").encode()


def test_boxes_count_from_0_and_end_behind_their_last_pixel():
    found = read_voc_xml(text(OBJECT.format(""), OBJECT.format("<difficult>1</difficult>")))
    box = (7.0, 11.5, 13.0, 18.5)
    assert found == VocPicture("a.jpg", (60, 91), [VocObject("cat", box, False), VocObject("cat", box, True)])
    assert read_voc_xml(text()).objects == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"{}", "no XML"),
        (text()[:-5], "no XML"),
        (b"<html/>", "<html>, not <annotation>"),
        (text(start="<annotation>"), "no number in size/height"),
        (text(start=START.replace("91", "0")), "0x60"),
        (text(OBJECT.format("").replace("xmax", "x")), "<object> has no number in bndbox/xmax"),
        (text(OBJECT.format("").replace("<ymin>12.5", "<ymin>top")), "bndbox/ymin .it is 'top'"),
        (text(OBJECT.format("").replace(" cat ", " ")), "no <name>"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + text(), "document type"),
        (b" " * (2**24 + 1), "16777217 bytes"),
    ],
)
def test_what_is_no_annotation_is_named(content, what):
    with pytest.raises(ValueError, match=what):
        read_voc_xml(content)
