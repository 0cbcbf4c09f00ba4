#!/usr/bin/env python3
"""Write the page of all settings from their declarations: python scripts/write_settings_page.py [out=FILE]."""

import sys
from collections.abc import Sequence
from pathlib import Path

from stvit_video.config.settings_page import settings_page
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.value_kinds import PATH

COMMAND = Command(
    prog="python scripts/write_settings_page.py",
    summary="Write the page of all settings from their declarations.",
    settings=(Setting(name="out", kind=PATH, default=Path("docs/settings.md"), help="the page"),),
    examples=(
        "python scripts/write_settings_page.py",
        "python scripts/write_settings_page.py out=/tmp/settings.md",
    ),
)


def write_page(given: Given) -> None:
    """Write the page.

    Raises:
        OSError: it can't be written.
    """
    write_text(given.out, settings_page())


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; gives the exit status."""
    return COMMAND.run(write_page, arguments)


if __name__ == "__main__":
    sys.exit(main())
