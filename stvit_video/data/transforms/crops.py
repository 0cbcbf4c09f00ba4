"""Sizes and places in pixels: of a resized frame, and of square crops of it."""

from stvit_video.utils.ranges import require_positive


def resized_size(height: int, width: int, *, short_side: int) -> tuple[int, int]:
    """Height and width in pixels once the short side has `short_side`; the long side is rounded half up."""
    short = min(height, width)
    long_side = (2 * max(height, width) * short_side + short) // (2 * short)
    return (short_side, long_side) if height <= width else (long_side, short_side)


def crop_offsets(height: int, width: int, *, crop_size: int, num_crops: int) -> list[tuple[int, int]]:
    """Corners of square crops: 1 = the centre; 3 = start, centre and end of the long side.

    The short side is always centred; on a square frame three crops go from left to right.

    Args:
        height: frame height in pixels.
        width: frame width in pixels.
        crop_size: side of the crop in pixels.
        num_crops: 1 or 3.

    Returns:
        `num_crops` pairs (top, left) in pixels.

    Raises:
        ValueError: `num_crops` is neither 1 nor 3, or the crop does not fit.
    """
    require_positive(crop_size=crop_size)
    if num_crops not in (1, 3):
        raise ValueError(f"num_crops={num_crops} is not supported; use 1 (centre) or 3 (along the long side)")
    if crop_size > min(height, width):
        raise ValueError(
            f"a crop of {crop_size} pixels does not fit a frame of {height}x{width} (height x width); "
            "use a smaller crop_size or a larger short_side"
        )
    top, left = (height - crop_size) // 2, (width - crop_size) // 2
    if num_crops == 1:
        return [(top, left)]
    if height > width:
        return [(0, left), (top, left), (height - crop_size, left)]
    return [(top, 0), (top, left), (top, width - crop_size)]
