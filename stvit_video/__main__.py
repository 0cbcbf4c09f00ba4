"""`python -m stvit_video` lists the commands."""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

from stvit_video.utils.command_line import Command, Given, Switch

PACKAGE = Path(__file__).parent
ALSO = ("data",)  # packages that are commands, too
WITHOUT_TORCH = (
    "predict and stream with bundle=, and doctor env, run without torch; the others need every library of the package"
)
COMMAND = Command(
    prog="python -m stvit_video",
    summary="Lists the commands. Settings are key=value in all of them; only switches have dashes.",
    examples=("python -m stvit_video", "python -m stvit_video --completion"),
    switches=(Switch("completion", "print a script that completes commands and settings in bash"),),
)


def command_names() -> list[str]:
    """What `python -m` starts, such as "stvit_video.train"."""
    return [f"stvit_video.{name}" for name in sorted(_files())]


def command_lines() -> list[str]:
    """The commands with the first sentence of what each says of itself, as `python -m stvit_video` prints them."""
    files = _files()
    width = max(map(len, files)) + len("python -m stvit_video.") + 2
    return [f"{f'python -m stvit_video.{name}':{width}}{_first_sentence(path)}" for name, path in sorted(files.items())]


def _files() -> dict[str, Path]:
    """The file of each command."""
    files = {path.stem: path for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")}
    return files | {name: PACKAGE / name / "__main__.py" for name in ALSO}


def _first_sentence(path: Path) -> str:
    """What follows the command in the first line of a docstring; a module is not imported, which would take seconds."""
    line = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    return line.partition("`: ")[2]


def print_commands(given: Given) -> None:
    """Print the list, or the script."""
    if given.completion:
        from stvit_video.config.completion import completion_script  # here alone: it takes seconds

        print(completion_script(command_names()), end="")
        return
    print("\n".join(["commands, each with --help:", *(f"  {line}" for line in command_lines()), WITHOUT_TORCH]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the list; gives the exit status."""
    return COMMAND.run(print_commands, arguments)


if __name__ == "__main__":
    sys.exit(main())
