"""A file of annotations of Pascal VOC: the objects of one picture."""

from typing import NamedTuple
from xml.etree import ElementTree

MAX_BYTES = 2**24


class VocObject(NamedTuple):
    """An object: its class, its box [x, y, width, height] in pixels, and whether VOC calls it difficult."""

    name: str
    bbox: tuple[float, float, float, float]
    difficult: bool


class VocPicture(NamedTuple):
    """What a file says: the picture's name ("" = none), its height and width in pixels, its objects."""

    file_name: str
    size: tuple[int, int]
    objects: list[VocObject]


def read_voc_xml(content: bytes) -> VocPicture:
    """Read a file of annotations.

    VOC counts pixels from 1 and names the last one inside; here a box ends behind its last pixel.

    Args:
        content: of the .xml.

    Raises:
        ValueError: it is no XML, or lacks something that is needed; the message says what.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has {len(content)} bytes, at most {MAX_BYTES} are read")
    if b"<!ENTITY" in content or b"<!DOCTYPE" in content:
        raise ValueError("it declares a document type, which no file of VOC does")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is no XML ({error})") from error
    if root.tag != "annotation":
        raise ValueError(f"its outermost element is <{root.tag}>, not <annotation>")
    height, width = (int(_number(root, f"size/{side}")) for side in ("height", "width"))
    if min(height, width) < 1:
        raise ValueError(f"<size> is {width}x{height}; it must be the picture's size in pixels")
    objects = [_object(element) for element in root.findall("object")]
    return VocPicture((root.findtext("filename") or "").strip(), (height, width), objects)


def _object(element: ElementTree.Element) -> VocObject:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise ValueError("an <object> has no <name>")
    left, top, right, bottom = (_number(element, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax"))
    difficult = (element.findtext("difficult") or "0").strip() == "1"
    return VocObject(name, (left - 1, top - 1, right - left + 1, bottom - top + 1), difficult)


def _number(element: ElementTree.Element, path: str) -> float:
    text = element.findtext(path)
    try:
        return float(text or "")
    except ValueError as error:
        raise ValueError(f"<{element.tag}> has no number in {path} (it is {text!r})") from error
