"""Names of any script in pictures: a font that has their letters where one is installed, else escapes.

matplotlib draws an empty box for a letter that its font lacks, and takes what stands between two "$" for a formula.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

__all__ = ["PlotText", "font_with", "plot_text", "write_literally"]

FIRST_FONT = "DejaVu Sans"  # comes with matplotlib
NOT_FOR_TEXT = ("Last Resort", "Adobe Blank", "STIXNonUnicode", "cm")  # boxes for letters, or letters at other codes
USUAL_WEIGHTS = (400, "normal", "regular", "book", "roman")
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # categories of what has no picture: controls, halves, no letter
PROBE_SIZE_POINTS = 10.0


class PlotText(NamedTuple):
    """Texts that the fonts have every letter of.

    Attributes:
        texts: as given, with escapes such as \\u4f60 for what no installed font has.
        families: names of the fonts, the first that has a letter counts.
    """

    texts: list[str]
    families: list[str]


def plot_text(texts: Iterable[str], *, max_length: int | None = None) -> PlotText:
    """Make texts fit to be drawn.

    Args:
        texts: of any script.
        max_length: letters of a text, escapes counted as they are written; what is longer ends in "…".
    """
    given = list(texts) if max_length is None else [text[: max_length + 1] for text in texts]
    wanted = {letter for text in given for letter in text} | {"…"}
    families, has = [FIRST_FONT], {letter for letter in wanted if ord(letter) in _letters(FIRST_FONT)}
    missing = {letter for letter in wanted - has if unicodedata.category(letter) not in UNSEEN}
    for family in _other_families() if missing else ():
        found = {letter for letter in missing if ord(letter) in _letters(family) and _is_drawn(family, letter)}
        if found:
            families.append(family)
            missing -= found
            has |= found
        if not missing:
            break
    shown = {letter: letter if letter in has else _escape(letter) for letter in wanted}
    shown |= {letter: _escape(letter) for letter in wanted if unicodedata.category(letter) in UNSEEN}
    return PlotText([_joined([shown[letter] for letter in text], max_length) for text in given], families)


def font_with(letter: str, families: Sequence[str]) -> str:
    """The first of these fonts that has a letter; where none has it, the first.

    Args:
        letter: one character.
        families: of `plot_text`.
    """
    return next((family for family in families if ord(letter) in _letters(family)), families[0])


def write_literally(labels: Iterable[Any], families: Sequence[str]) -> None:
    """Let matplotlib's texts stand as they are, in these fonts: "$" begins no formula, here and in TeX."""
    for label in labels:
        label.set_parse_math(False)
        label.set_usetex(False)
        label.set_fontfamily(list(families))


def _joined(pieces: Sequence[str], max_length: int | None) -> str:
    """The pieces, of which those go that would make the text too long."""
    if max_length is None or sum(map(len, pieces)) <= max_length:
        return "".join(pieces)
    kept, length = [], 1
    for piece in pieces:
        length += len(piece)
        if length > max_length:
            break
        kept.append(piece)
    return "".join([*kept, "…"])


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


@cache
def _other_families() -> tuple[str, ...]:
    """The installed families beside the first, upright ones of usual weight; names in order, so that all runs agree."""
    from matplotlib.font_manager import fontManager

    names = {entry.name for entry in fontManager.ttflist if _is_usual(entry)}
    return tuple(sorted(name for name in names - {FIRST_FONT} if not name.startswith(NOT_FOR_TEXT)))


def _is_usual(entry: Any) -> bool:
    return entry.style == "normal" and entry.weight in USUAL_WEIGHTS


@cache
def _font(family: str) -> Any:
    """The open font that matplotlib takes for a family; None = it is gone or can't be drawn, as one of pixels."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        font = get_font(findfont(FontProperties(family=[family]), fallback_to_default=False))
        font.set_size(PROBE_SIZE_POINTS, 72.0)
    except (ValueError, OSError, RuntimeError):
        return None
    return font


@cache
def _letters(family: str) -> frozenset[int]:
    font = _font(family)
    return frozenset() if font is None else frozenset(font.get_charmap())


def _is_drawn(family: str, letter: str) -> bool:
    """Whether the font has a shape for the letter; those of coloured pixels have none."""
    try:
        glyph = _font(family).load_char(ord(letter))
    except RuntimeError:
        return False
    return bool(glyph.width and glyph.height) or letter.isspace()
