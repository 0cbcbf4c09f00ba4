"""Numbers together with what they count, in words."""

__all__ = ["count_words"]


def count_words(number: int, one: str, more: str = "") -> str:
    """Number and noun: "1 video", "2,000 videos".

    Args:
        number: how many.
        one: the noun for a single one.
        more: for none and for several; "" = with an s.
    """
    return f"{number:,} {one if number == 1 else more or one + 's'}"
