"""Command lines: of files and key=value options, and of --options, read alike by every command that takes such."""

import argparse
from collections.abc import Collection, Sequence
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all errors here."""

    def error(self, message: str) -> NoReturn:
        """Print it and leave with status 2."""
        self.exit(2, f"error: {message}; --help lists the options\n")


def split_arguments(arguments: Sequence[str], *, keys: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Options and files of a command line; behind "--" everything is a file.

    Args:
        arguments: words of the command line.
        keys: options that are known.

    Returns:
        The options by key, the last of equal ones, and the files in order.

    Raises:
        ValueError: an unknown option.
    """
    before, after = list(arguments), list[str]()
    if "--" in before:
        cut = before.index("--")
        before, after = before[:cut], before[cut + 1 :]
    options: dict[str, str] = {}
    files: list[str] = []
    for argument in before:
        key, equals, value = argument.partition("=")
        if equals and key in keys:
            options[key] = value
        elif equals or argument.startswith("-"):
            raise ValueError(
                f"unknown option {argument!r}; allowed are {', '.join(keys)} as key=value "
                f"(if it is a file, put it after '--')"
            )
        else:
            files.append(argument)
    return options, [*files, *after]


def positive_number(key: str, text: str) -> int:
    """The value of an option that is a whole number, at least 1.

    Raises:
        ValueError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{key}={text!r} must be a whole number, at least 1")
    return int(text)
