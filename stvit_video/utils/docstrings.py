"""Read the help of arguments out of docstrings."""

import inspect
import re
from collections.abc import Callable
from typing import Any

_ENTRY = re.compile(r"^ {4}(\w+): (.*)$")


def argument_help(function: Callable[..., Any]) -> dict[str, str]:
    """Argument -> what the section Args of the docstring says of it, in one line without the full stop.

    Args:
        function: anything with a docstring in which entries of Args are indented by four.
    """
    text = inspect.getdoc(function) or ""
    section = text.partition("\nArgs:\n")[2]
    found: dict[str, str] = {}
    last = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        if match := _ENTRY.match(line):
            last = match[1]
            found[last] = match[2]
        elif last and line.strip():
            found[last] += f" {line.strip()}"
        elif not line.strip():
            break
    return {name: help_text.removesuffix(".") for name, help_text in found.items()}
