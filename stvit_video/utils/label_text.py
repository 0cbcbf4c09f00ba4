"""Labels as one reads them: the same text in another encoding is the same label.

Macs write accents as characters of their own (NFD), spreadsheets no-break spaces, web pages zero-width ones. Nobody
sees the difference, so it must not make a class.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

# control characters, soft hyphen, grapheme joiner, marks of direction, zero-width space, word joiner, byte order mark
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# a joiner has a meaning within Arabic, Persian, Indic words and within an emoji, and none beside a space, at an end, or
# beside a Latin, Greek or Cyrillic letter (those are below U+0590)
_JOINERS = "\u200c\u200d"
_IDLE_JOINERS = re.compile(f"(?<![\u0590-\U0010ffff])[{_JOINERS}]+|[{_JOINERS}]+(?![\u0590-\U0010ffff])")


@lru_cache(maxsize=2**16)
def normal_label(label: str) -> str:
    """The label in its normal form: composed accents (NFC), plain single spaces, nothing invisible; "" = it is blank.

    Joiners stay where they have a meaning: in Persian or Indic words, and in an emoji of several.

    Source: Unicode Standard Annex 15 (NFC); RFC 5892, appendix A.1 and A.2, for where joiners have a meaning.
    Differs: from RFC 5892, by scripts instead of by the joining type of each letter.
    """
    if label.isascii() and label.isprintable() and "  " not in label:
        return label.strip()
    text = " ".join(_INVISIBLE.sub("", label).split())
    text = " ".join(_IDLE_JOINERS.sub("", text).split())
    return unicodedata.normalize("NFC", text)


def same_labels(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two lists hold the same labels in the same order, each in whatever form."""
    return list(map(normal_label, first)) == list(map(normal_label, second))


def without_joiners(label: str) -> str:
    """The label without any joiner."""
    return re.sub(f"[{_JOINERS}]", "", label)
