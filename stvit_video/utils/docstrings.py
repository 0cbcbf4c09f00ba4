"""Read the help of arguments out of docstrings."""

import inspect
import re
from collections.abc import Callable
from typing import Any


def argument_help(function: Callable[..., Any]) -> dict[str, str]:
    """Argument -> what the section `Args:` of the docstring says of it, in one line without the full stop.

    Args:
        function: with a docstring in the form of this one; an entry may be of several arguments, "a, b: both".

    Returns:
        In the order of the docstring; nothing where there is no such section.
    """
    found = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", inspect.getdoc(function) or "", re.MULTILINE)
    lines: dict[str, str] = {}
    names: list[str] = []
    for line in found[1].splitlines() if found else ():
        if entry := re.match(r" {4}(\w+(?:, \w+)*): (.*)", line):
            names = entry[1].split(", ")
            lines |= dict.fromkeys(names, entry[2].strip())
        elif line.strip():
            lines |= {name: f"{lines[name]} {line.strip()}" for name in names}
    return {name: text.removesuffix(".") for name, text in lines.items()}
