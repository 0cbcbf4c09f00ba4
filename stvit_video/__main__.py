"""`python -m stvit_video` lists the commands."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent
ALSO = ("data",)  # packages that are commands, too


def command_lines() -> list[str]:
    """The commands with the first sentence of what each says of itself, as `python -m stvit_video` prints them."""
    files = {path.stem: path for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")}
    files |= {name: PACKAGE / name / "__main__.py" for name in ALSO}
    width = max(map(len, files)) + len("python -m stvit_video.") + 2
    return [f"{f'python -m stvit_video.{name}':{width}}{_first_sentence(path)}" for name, path in sorted(files.items())]


def _first_sentence(path: Path) -> str:
    """What follows the command in the first line of a docstring; a module is not imported, which would take seconds."""
    line = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    return line.partition("`: ")[2]


if __name__ == "__main__":
    print("\n".join(["commands, each with --help:", *(f"  {line}" for line in command_lines())]))
