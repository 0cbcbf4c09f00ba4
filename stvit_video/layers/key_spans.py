"""Attention from the queries of each window to a rectangle of keys around it, keys and values projected once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from stvit_video.layers.attention import CrossAttention, attend, merge_heads, split_heads

Span = tuple[int, int]  # the first cell, and the first one behind the last
Spans = tuple[Span, ...]  # one for each window along an axis

# What happens to keys that are no cells of the grid. "masked": nobody sees them. "released detector": the rule of the
# code that the STViT-R detectors were published with, see `released_spans`.
PADDING_RULES = ("masked", "released detector")


@dataclass(frozen=True)
class Ring:
    """Zeros around a grid of keys, and which of them count as keys.

    Args:
        widths: rows above and below the grid, columns to its left and right.
        inside: rows and columns, on the grid with its ring, of the zeros that only fill up windows, and of the grid.
        hole: the row and the column from which on cells are hidden, where both are reached.
    """

    widths: tuple[Span, Span]
    inside: tuple[Span, Span]
    hole: tuple[int, int]


@dataclass(frozen=True)
class KeySpans:
    """Which keys the queries of each window see.

    Args:
        queries: rows and columns of the queries of each window.
        keys: rows and columns of its keys, on the grid with its ring where there is one.
        ring: zeros around the keys; None = there are none, and a window sees its whole rectangle.
    """

    queries: tuple[Spans, Spans]
    keys: tuple[Spans, Spans]
    ring: Ring | None = None


def cut_spans(size: int, window: int) -> Spans:
    """The windows of an axis; the last one ends with the axis."""
    return tuple((start, min(start + window, size)) for start in range(0, size, window))


def centred_spans(num_windows: int, *, window: int, key_window: int) -> Spans:
    """The cells around each window; they may lie outside of the axis.

    Args:
        num_windows: of the axis.
        window: cells of a window.
        key_window: cells of the larger one around it; where the rest is odd, one cell more is behind it.
    """
    before = (key_window - window) // 2
    return tuple((i * window - before, i * window - before + key_window) for i in range(num_windows))


def masked_spans(
    queries: Sequence[int],
    keys: Sequence[int],
    *,
    query_window: Sequence[int],
    window: Sequence[int],
    key_window: Sequence[int],
) -> KeySpans:
    """Spans that end where the grid of the keys ends.

    Args:
        queries: rows and columns of the queries' grid.
        keys: rows and columns of the keys' grid.
        query_window: queries of a window along each axis.
        window: keys of a window along each axis.
        key_window: keys that the queries of a window see along each axis, its own in the middle.

    Returns:
        As many windows along an axis as begin inside the queries' grid; each sees at least one key.
    """
    cut = [cut_spans(size, cells) for size, cells in zip(queries, query_window, strict=True)]
    seen = []
    for windows, size, own, around in zip(cut, keys, window, key_window, strict=True):
        spans = centred_spans(len(windows), window=own, key_window=max(around, own))
        seen.append(tuple((max(start, 0), min(stop, size)) for start, stop in spans))
    return KeySpans(queries=(cut[0], cut[1]), keys=(seen[0], seen[1]))


def released_spans(
    queries: Sequence[int],
    keys: Sequence[int],
    *,
    query_window: Sequence[int],
    window: Sequence[int],
    key_window: Sequence[int],
    padding: Sequence[int],
) -> KeySpans:
    """Spans over zeros around the grid as well, by the rule of the released STViT-R detectors.

    Their code hides the zeros outside of the windows, and of those that fill up windows the block behind
    `size - padding` along both axes. An axis without padding begins to be hidden at its first cell: with padding along
    one axis alone a whole strip is hidden, and without any everything is. A window all of whose keys are hidden sees
    all of them, zeros included.

    Args:
        queries, keys, query_window, window, key_window: as in `masked_spans`.
        padding: rows and columns of zeros behind the image tokens' grid, up to whole windows.

    Source: the STViT-R authors' detector, as released (docs/develop/design.md, "Windowed STViT-R").
    """
    cut = [cut_spans(size, cells) for size, cells in zip(queries, query_window, strict=True)]
    seen, widths, inside, hole = [], [], [], []
    for windows, size, own, around, padded in zip(cut, keys, window, key_window, padding, strict=True):
        whole, before = len(windows) * own, (around - own) // 2
        spans = centred_spans(len(windows), window=own, key_window=around)
        seen.append(tuple((start + before, stop + before) for start, stop in spans))
        widths.append((before, whole - size + around - own - before))
        inside.append((before, before + whole))
        hole.append(before + (max(whole - padded, 0) if padded else 0))
    ring = Ring(widths=(widths[0], widths[1]), inside=(inside[0], inside[1]), hole=(hole[0], hole[1]))
    return KeySpans(queries=(cut[0], cut[1]), keys=(seen[0], seen[1]), ring=ring)


def surround(x: Tensor, value: Tensor, widths: tuple[Span, Span]) -> Tensor:
    """Put one value around a grid: (B, H, W, C) and (1, 1, 1, C) -> (B, above + H + below, left + W + right, C)."""
    (above, below), (left, right) = widths
    return F.pad(x - value, (0, 0, left, right, above, below)) + value


def attend_in_windows(
    attention: CrossAttention, queries: Tensor, kv: Tensor, spans: KeySpans, *, blank: Tensor | None = None
) -> Tensor:
    """Attention of the queries of each window to the keys that `spans` gives them.

    Args:
        attention: whose projections are used.
        queries: (B, h, w, C).
        kv: (B, H, W, 2 * C), what `attention.kv` gives of the context.
        blank: (1, 1, 1, C), what is in the place of the context in the ring, where `spans` has one.

    Returns:
        (B, h, w, C).
    """
    if spans.ring is not None:
        assert blank is not None
        kv = surround(kv, attention.kv(blank), spans.ring.widths)
    one_by_one = kv.device.type in ("cpu", "meta") and not torch.compiler.is_compiling()  # few large calls elsewhere
    columns_at_once = 1 if one_by_one else len(spans.keys[1])
    out = attend_to_spans(attention.q(queries), kv, spans, num_heads=attention.num_heads, columns=columns_at_once)
    return attention.proj(out)


def attend_to_spans(q: Tensor, kv: Tensor, spans: KeySpans, *, num_heads: int, columns: int) -> Tensor:
    """Softmax attention window by window, nothing copied but the keys of some columns of windows.

    Args:
        q: (B, h, w, C).
        kv: (B, H, W, 2 * C) keys, then values.
        spans: which of them each window sees; the ring is in `kv` already.
        num_heads: attention heads.
        columns: neighbouring windows at a time. 1 computes no product that is not needed; with more, keys that a
            window does not see are masked: fewer and larger calls.

    Returns:
        (B, h, w, C).
    """
    parts = []
    for first in range(0, len(spans.keys[1]), columns):
        group = range(first, min(first + columns, len(spans.keys[1])))
        (start, _), (_, stop) = spans.queries[1][group[0]], spans.queries[1][group[-1]]
        left, right = columns_seen(spans, group)
        of_group, keys = q[:, :, start:stop], kv[:, :, left:right].contiguous()
        rows = []
        for row, (top, bottom) in enumerate(spans.queries[0]):
            queries = split_heads(of_group[:, top:bottom].flatten(1, 2), num_heads)  # (B, A, N, D)
            seen = keys[:, slice(*spans.keys[0][row])].flatten(1, 2)  # (B, M, 2 * C)
            k, v = (split_heads(part, num_heads) for part in seen.chunk(2, dim=-1))
            out = merge_heads(attend(queries, k, v, hidden_mask(spans, row, group, device=q.device)))
            rows.append(out.unflatten(1, (bottom - top, -1)))
        parts.append(torch.cat(rows, dim=1))
    return torch.cat(parts, dim=2)


def columns_seen(spans: KeySpans, group: range) -> Span:
    """The columns of keys that some neighbouring windows see together."""
    seen = [spans.keys[1][column] for column in group]
    return min(start for start, _ in seen), max(stop for _, stop in seen)


def sees_nothing(ring: Ring, rows: Span, columns: Span) -> bool:
    """Whether all keys of a window are hidden."""
    first = [max(span[0], axis[0]) for span, axis in zip((rows, columns), ring.inside, strict=True)]
    end = [min(span[1], axis[1]) for span, axis in zip((rows, columns), ring.inside, strict=True)]
    hidden = all(start >= hole for start, hole in zip(first, ring.hole, strict=True))
    return hidden or any(start >= stop for start, stop in zip(first, end, strict=True))


def hidden_mask(spans: KeySpans, row: int, group: range, *, device: torch.device) -> Tensor | None:
    """Which keys the queries of neighbouring windows see among those that these see together.

    Args:
        row: of the windows.
        group: their columns.
        device: of the answer.

    Returns:
        (queries, keys) boolean, True = sees it; None where every query sees all.
    """
    rows, of_each = spans.keys[0][row], [spans.keys[1][column] for column in group]
    blind = [spans.ring is not None and sees_nothing(spans.ring, rows, columns) for columns in of_each]
    if len(set(of_each)) == 1 and (spans.ring is None or all(blind)):
        return None
    widths = [stop - start for start, stop in (spans.queries[1][column] for column in group)]
    owners = [i for i, width in enumerate(widths) for _ in range(width)]  # the window of each column of queries
    starts, stops = (torch.tensor([of_each[i][end] for i in owners], device=device) for end in (0, 1))
    cells = torch.arange(*columns_seen(spans, group), device=device)
    keep = (cells >= starts[:, None]) & (cells < stops[:, None])  # (columns of queries, columns of keys)
    keep = keep[:, None, :].expand(-1, rows[1] - rows[0], -1)
    if spans.ring is not None:
        free = torch.tensor([blind[i] for i in owners], device=device)
        keep = keep & (open_cells(spans.ring, rows, cells) | free[:, None, None])
    top, bottom = spans.queries[0][row]
    return keep.flatten(1).repeat(bottom - top, 1)


def open_cells(ring: Ring, rows: Span, columns: Tensor) -> Tensor:
    """(rows, columns) boolean, True = a key that counts."""
    places = torch.arange(*rows, device=columns.device)
    inside = [(a >= first) & (a < end) for a, (first, end) in zip((places, columns), ring.inside, strict=True)]
    before_hole = (places < ring.hole[0])[:, None] | (columns < ring.hole[1])
    return inside[0][:, None] & inside[1] & before_hole
