"""Rows of our models: dense ones, and the others at several places of generation, counts of tokens and reducers."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from stvit_video.model_benchmark.model_row import OURS, ModelRow
from stvit_video.models import model_options
from stvit_video.models.registry import FAMILIES, FAMILY_OF_NAME, dense_name

Tokens = int | tuple[int, ...]
DEIT_PLACES = (1, 2, 4)  # of generation, where none are given; models of other families have their default alone


def own_rows(
    names: Sequence[str],
    *,
    num_frames: int,
    image_size: tuple[int, int],
    places: Sequence[int] | None = None,
    token_counts: Sequence[Tokens] | None = None,
    reducers: Sequence[str] = ("semantic",),
) -> list[ModelRow]:
    """The rows of models of ours, behind those of the dense models that they are compared with.

    Args:
        names: of the models.
        num_frames: frames T of a clip.
        image_size: (H, W) pixels.
        places: blocks before generation, a row each; None = 1, 2 and 4 for DeiT, else the model's default.
        token_counts: counts or grids of tokens, a row each; None = the model's default.
        reducers: what fills the slot, a row each.

    Raises:
        ValueError: no model of such a name.
    """
    size = (num_frames, *image_size)
    rows = {row.label: row for row in (dense_row(name, input_size=size) for name in names)}
    for name in names:
        if name == dense_name(name):
            rows.setdefault(name, replace(rows[dense_label(name)], label=name, options=_of_clip(name, size)))
            continue
        for reducer, tokens, place in product(reducers, token_counts or (None,), places or _places_of(name)):
            row = _slot_row(name, reducer=reducer, num_tokens=tokens, generate_at=place, size=size)
            rows.setdefault(row.label, row)
    return list(rows.values())


def dense_row(name: str, *, input_size: tuple[int, ...]) -> ModelRow:
    """The row of the dense model that a model is compared with; of DeiT for clips the one with joint attention alone.

    Args:
        name: of the model.
        input_size: (T, H, W) of a clip; image models take (H, W) of it.

    Raises:
        ValueError: no model of that name.
    """
    dense = dense_name(name)
    return ModelRow(
        label=dense_label(name),
        library=OURS,
        name=dense,
        input_size=_size_of(dense, input_size),
        baseline=dense_label(name),
        options={**_of_clip(dense, input_size), **({"base_attention": "joint"} if _is_joint(dense) else {})},
    )


def dense_label(name: str) -> str:
    """The label of the dense model that a model is compared with."""
    dense = dense_name(name)
    return f"{dense}, joint" if _is_joint(dense) else dense


def _slot_row(
    name: str, *, reducer: str, num_tokens: Tokens | None, generate_at: int | None, size: tuple[int, ...]
) -> ModelRow:
    """A row of a model with few tokens; what is None is left to the model."""
    options = {"num_tokens": num_tokens, "generate_at": generate_at}
    given: dict[str, Any] = {option: value for option, value in options.items() if value is not None}
    words = [name] if reducer == "semantic" else [name, reducer]
    words += [] if generate_at is None else [f"after {generate_at}"]
    words += [] if num_tokens is None else [f"{_sign(num_tokens)} tokens"]
    return ModelRow(
        label=", ".join(words),
        library=OURS,
        name=name,
        input_size=_size_of(name, size),
        baseline=dense_label(name),
        options={**_of_clip(name, size), **given, **({} if reducer == "semantic" else {"reducer": reducer})},
    )


def _places_of(name: str) -> tuple[int | None, ...]:
    is_deit = FAMILY_OF_NAME.get(name) is FAMILIES["deit"]
    return DEIT_PLACES if is_deit else (None,)


def _is_joint(dense: str) -> bool:
    return "base_attention" in model_options(dense)


def _is_video(name: str) -> bool:
    return "num_frames" in model_options(name)


def _size_of(name: str, size: tuple[int, ...]) -> tuple[int, ...]:
    return size if _is_video(name) else size[-2:]


def _of_clip(name: str, size: tuple[int, ...]) -> dict[str, Any]:
    clip = {"num_frames": size[0]} if _is_video(name) else {}
    return {"image_size": size[-2:], **clip}


def _sign(tokens: Tokens) -> str:
    return str(tokens) if isinstance(tokens, int) else "x".join(map(str, tokens))
