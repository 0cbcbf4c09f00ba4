"""Charts in pages: a matplotlib figure as SVG in the text of a page, whose marks say what they are.

The templates `chart_tips.css` and `chart_tips.js`, included in the blocks `style` and `script` of a page, show these
texts by mouse, keyboard and touch; without a script the browser shows them by itself, as titles.
"""

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, fromstring, tostring

from stvit_video.utils.figures import new_figure

__all__ = ["SHARES", "SeriesLook", "axis_limits", "chart_svg", "look_svg", "series_look"]

# medium ones, that are told apart on white and on black, and by people who see red and green alike
SERIES_COLOURS = ("#0a7bc2", "#d9651c", "#009e73", "#c05a94", "#9a7d00", "#7a6fd0", "#c23b3b", "#5b7f8c")
SHARES = (0.0, 1.0)  # the ends of an axis of accuracies and the like
BEYOND = 0.06  # of what an axis spans: so far it goes on beyond its ends, for marks on the edge
MARKERS = "os^DvPX<>p"
HIT_RADIUS = 8  # points around a mark that count as the mark, for fingers
HIT_WIDTH = 9  # points, likewise for lines
INK = {"#000000": "currentColor", "#ffffff": "var(--page)"}  # so that a chart is right on dark pages
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
FONT_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
SALT = "stvit_video"  # matplotlib makes ids of it and of what is drawn; without it they are random


class SeriesLook(NamedTuple):
    """How the marks of a series look.

    Attributes:
        colour: as matplotlib reads it.
        marker: likewise.
    """

    colour: str
    marker: str


def series_look(number: int) -> SeriesLook:
    """Colour and mark of a series; the first 40 all differ.

    Args:
        number: of the series, from 0.
    """
    return SeriesLook(SERIES_COLOURS[number % len(SERIES_COLOURS)], MARKERS[number % len(MARKERS)])


def axis_limits(
    low: float, high: float, *, least_span: float, ends: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, float]:
    """Limits of an axis that spans so much that noise looks small, and hardly goes on beyond what is possible.

    Args:
        low: its lower limit by what is drawn.
        high: the upper one.
        least_span: what differs by less looks alike.
        ends: the least and the most that is possible, such as `SHARES`.
    """
    span = max(high - low, least_span)
    least, most = ends[0] - BEYOND * span, ends[1] + BEYOND * span
    low = max(min((low + high - span) / 2, most - span), least)
    return low, low + span


def look_svg(look: SeriesLook) -> str:
    """The mark of a series as a small `<svg>` element, for a legend in words."""
    figure = new_figure(0.2, 0.2, dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.plot([0], [0], look.marker, color=look.colour, markersize=7)
    axes.set_axis_off()
    return chart_svg(figure, {}, label="")


def chart_svg(figure: Any, tips: Mapping[str, str | Sequence[str]], *, label: str = "chart") -> str:
    """The figure as an `<svg>` element, for the macro `chart`.

    Black becomes the colour of the page's text and white that of its background (`--page`). Texts stay texts, in the
    font of the page. A tip is an element of class "tip" whose `data-tip` is the gid; elements of the page whose
    `data-tip-of` names it are marked together with it. Charts of one page don't disturb one another, and the same
    figure gives the same text.

    Args:
        figure: of `new_figure`.
        tips: what artists say, by their gid. Several texts are of the single marks of an artist, in order: mark 3 of
            the gid "a" has the `data-tip` "a/3". Lines of a text are parted by "\\n".
        label: what the chart is, for those who don't see it; "" = the text beside it says so.

    Raises:
        ValueError: a gid that no artist has, or another number of texts than of marks.
    """
    root = _drawn(figure)
    groups: dict[str, list[Element]] = {}
    for element in root.iter("g"):
        groups.setdefault(element.get("id", ""), []).append(element)
    for gid, told in tips.items():
        if gid not in groups:
            raise ValueError(f"there is a tip for {gid!r}, but no artist of the figure has this gid; give it one")
        if isinstance(told, str):
            for group in groups[gid]:
                _add_tip(group, gid, told)
        else:
            _add_tips_of_marks(groups[gid], gid, told)
    _shorten(root)
    _rename_ids(root)
    role = "group" if tips else "img"  # the tips of a group are read one by one
    seen_as = {"role": role, "aria-label": NO_XML.sub("", label)} if label else {"aria-hidden": "true"}
    root.attrib = {"class": "chart", **seen_as, **_root_look(root)}
    return tostring(root, encoding="unicode")


def _drawn(figure: Any) -> Element:
    """The parsed SVG, without what only a file of its own needs."""
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": SALT}):
        figure.savefig(text, format="svg", facecolor="none", metadata={"Date": None})
    root = fromstring(NO_XML.sub("", text.getvalue()))
    for element in root.iter():
        element.tag = element.tag.partition("}")[2] or element.tag
        element.text, element.tail = (part if part and part.strip() else None for part in (element.text, element.tail))
        for key in [key for key in element.attrib if "}" in key]:  # xlink:href, which is called href today
            element.set(key.partition("}")[2], element.attrib.pop(key))
    for parent in list(root.iter()):
        for child in [one for one in parent if one.tag in ("metadata", "style")]:
            parent.remove(child)
    return root


def _add_tip(group: Element, gid: str, text: str) -> None:
    """Make a group a tip, with room for fingers around its marks and lines."""
    for mark in list(_marks(group)):
        group.append(_hit_area(mark))
    group.set("class", "tip")
    group.set("data-tip", NO_XML.sub("", gid))
    title = Element("title")
    title.text = NO_XML.sub("", text)
    group.insert(0, title)


def _add_tips_of_marks(groups: Sequence[Element], gid: str, texts: Sequence[str]) -> None:
    marks = [mark for group in groups for mark in _marks(group)]
    if len(marks) != len(texts):
        raise ValueError(
            f"{gid!r} has {len(texts)} tips and {len(marks)} marks within the figure; give a text for each mark, and "
            "draw none that is not finite"
        )
    parents = {child: parent for group in groups for parent in group.iter() for child in parent}
    for number, (mark, text) in enumerate(zip(marks, texts, strict=True)):
        parent = parents[mark]
        place = list(parent).index(mark)
        parent.remove(mark)
        tip = Element("g")
        tip.append(mark)
        _add_tip(tip, f"{gid}/{number}", text)
        parent.insert(place, tip)


def _marks(group: Element) -> Iterator[Element]:
    """What a group draws: its marks, or where it has none its paths."""
    drawn = [one for one in _outside_defs(group) if one.tag in ("use", "path")]
    uses = [one for one in drawn if one.tag == "use"]
    yield from uses or drawn


def _outside_defs(element: Element) -> Iterator[Element]:
    for child in element:
        if child.tag != "defs":
            yield child
            yield from _outside_defs(child)


def _hit_area(mark: Element) -> Element:
    """What is not seen, but is pointed at more easily than the mark."""
    if mark.tag == "use":
        place = {"cx": mark.get("x", "0"), "cy": mark.get("y", "0")}
        return Element("circle", {"class": "hit", "r": str(HIT_RADIUS), **place})
    width = {} if "fill: none" not in mark.get("style", "") else {"stroke-width": str(HIT_WIDTH)}
    kept: dict[str, str] = {key: mark.attrib[key] for key in ("d", "clip-path", "transform") if key in mark.attrib}
    return Element("path", {"class": "hit line" if width else "hit area", **kept, **width})


def _shorten(root: Element) -> None:
    """Two decimals, colours of the page, its font, no turn by 0 degrees."""
    for element in root.iter():
        for key, value in element.items():
            if key in ("d", "x", "y", "cx", "cy", "width", "height", "transform", "viewBox"):
                value = " ".join(LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value).split())
            elif key == "style":
                value = FONT_FAMILY.sub("", value)
                for colour, of_page in INK.items():
                    value = value.replace(colour, of_page)
            element.set(key, value)
        if element.get("transform", "").startswith(("rotate(-0 ", "rotate(0 ")):
            del element.attrib["transform"]


def _rename_ids(root: Element) -> None:
    """Keep the ids that something refers to, under names that no other chart has."""
    prefix = f"c{sha256(tostring(root)).hexdigest()[:10]}-"
    used = {href[1:] for element in root.iter() if (href := element.get("href", "")).startswith("#")}
    used |= {name for element in root.iter() for value in element.attrib.values() for name in REFERENCE.findall(value)}
    short = {name: f"{prefix}{number}" for number, name in enumerate(sorted(used - {""}))}
    for element in root.iter():
        for key, value in list(element.items()):
            if key == "id":
                element.attrib.pop("id")
                if value in short:
                    element.set("id", short[value])
            elif key == "href" and value.startswith("#"):  # else it is the picture of an image
                element.set(key, f"#{short[value[1:]]}")
            elif "url(#" in value and key != "data-tip":
                element.set(key, REFERENCE.sub(lambda found: f"url(#{short[found[1]]})", value))


def _root_look(root: Element) -> dict[str, str]:
    """The box of the figure, and what all of it inherits."""
    width = float(root.get("viewBox", "0 0 0 0").split()[2]) * 4 / 3  # points to CSS pixels
    style = f"max-width: {width:.0f}px; stroke-linejoin: round"
    return {"viewBox": root.get("viewBox", ""), "fill": "currentColor", "style": style}
