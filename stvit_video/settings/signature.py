"""Settings that are declared by the signature of a function: its keyword arguments, and the help in its docstring."""

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, get_type_hints

from pydantic import Field, create_model

from stvit_video.settings.declare import MISSING, Group
from stvit_video.utils.docstrings import argument_help


def settings_of(
    *functions: Callable[..., Any], name: str, without: Collection[str] = (), types: Mapping[str, Any] | None = None
) -> type[Group]:
    """The settings that are the keyword-only arguments of functions.

    An argument without a default must be given. A sequence is a list of a fixed or any length, as annotated.

    Args:
        functions: with annotations and a docstring; an argument of several is one setting, that of the first.
        name: of the type.
        without: arguments that are no settings.
        types: of arguments, in place of their annotations.
    """
    fields: dict[str, Any] = {}
    doc = (inspect.getdoc(functions[0]) or "").partition("\n")[0]
    for function in functions:
        hints, helps = get_type_hints(function, include_extras=True), argument_help(function)
        for parameter in inspect.signature(function).parameters.values():
            key = parameter.name
            if parameter.kind is parameter.KEYWORD_ONLY and key not in without and key not in fields:
                default = MISSING if parameter.default is parameter.empty else parameter.default
                kind = (types or {}).get(key, hints[key])
                fields[key] = (kind, Field(default=default, description=as_setting(helps.get(key, ""))))
    return create_model(name, __base__=Group, __doc__=doc, **fields)


def as_setting(text: str) -> str:
    """Help of an argument as that of a setting, which is null, true or false where Python says None, True or False."""
    words = {"None": "null", "True": "true", "False": "false"}
    return re.sub(r"\b(None|True|False)\b", lambda found: words[found[1]], text)
