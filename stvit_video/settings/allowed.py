"""What an annotation allows, in words, for error messages and for the page of all settings."""

from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from stvit_video.utils.addresses import Place

PLACE = get_args(Place)[1]  # the mark of paths
PLURALS = {str: "words", dict: "{word: [words]}", int: "whole numbers"}
NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def allowed_words(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """For example "a whole number at least 1", "a list of 2 numbers above 0", "one of adamw, sgd", "true or false".

    Args:
        annotation: of a setting; null goes without saying.
        metadata: further limits, as pydantic keeps them apart from the annotation.
    """
    parts = [part for part in _members(annotation, metadata) if part[0] is not NoneType]
    words = [text for kind, limits in parts if get_origin(kind) is not Literal and (text := _one(kind, limits))]
    choices = [str(word) for kind, _ in parts if get_origin(kind) is Literal for word in get_args(kind)]
    choices = list(dict.fromkeys(choices))
    if not words:
        return f"one of {', '.join(choices)}"
    return ", or ".join([*words, *([" or ".join(choices)] if choices else [])])


def takes_null(annotation: Any) -> bool:
    """Whether null is allowed."""
    return any(kind is NoneType for kind, _ in _members(annotation, ()))


def is_place(field: FieldInfo) -> bool:
    """Whether a setting is a path."""
    return any(PLACE in limits for _, limits in _members(field.annotation, tuple(field.metadata)))


def _members(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The types of a union, each with its limits."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        yield from _members(inner, (*metadata, *own))
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _members(part, metadata)
    else:
        yield annotation, tuple(_limits(metadata))


def _limits(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _one(kind: Any, limits: tuple[Any, ...]) -> str:
    if get_origin(kind) is Sequence:
        return "a list of numbers" if get_args(kind) == (int,) else "a list"
    if get_origin(kind) is tuple:
        first, *others = get_args(kind)
        (item, item_limits), *more = _members(first, ())
        count = "" if others[-1:] == [Ellipsis] else f"{1 + len(others)} "
        if more:
            return f"a list of {count}{' or '.join(PLURALS[get_origin(kind) or kind] for kind in (item, *dict(more)))}"
        if get_origin(item) is Literal:
            return f"a list of {count}words out of {', '.join(map(str, get_args(item)))}"
        return _with_range(f"a list of {count}{'words' if item is str else 'numbers'}", item_limits)
    return "a path" if PLACE in limits else _with_range(NAMES.get(kind, "any value"), limits)


def _with_range(name: str, limits: tuple[Any, ...]) -> str:
    texts = []
    for limit in limits:
        match limit:
            case Gt():
                texts.append(f"above {limit.gt}")
            case Ge():
                texts.append(f"at least {limit.ge}")
            case Lt():
                texts.append(f"below {limit.lt}")
            case Le():
                texts.append(f"at most {limit.le}")
    return " ".join([name, " and ".join(texts)]) if texts else name
