"""What Markdown pages name and link to: checks of a page's text, each a function to a list of faults."""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGE = "stvit_video"
FOLDERS = ("stvit_video", "conf", "tests", "scripts", "docs", "data")  # where a path of the repository may begin
MADE_LATER = ("data/synthetic", "data/shapes", "data/maps")  # by the first command that needs it
_DOTTED = re.compile(r"(?<![\w.])stvit_video(?:\.\w+)+")
_IMPORT = re.compile(r"from (stvit_video[\w.]*) import ([\w, ]+)")
_PATH = re.compile(rf"(?<![\w.:/-])(?:{'|'.join(FOLDERS)})/[\w./{{}},*-]*")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def name_faults(text: str) -> list[str]:
    """A sentence for every `stvit_video.x.y` in a text that is neither a module nor an attribute of one."""
    names = set(_DOTTED.findall(text))
    for module, imported in _IMPORT.findall(text):
        names |= {f"{module}.{name.strip()}" for name in imported.split(",")}
    return [f"{name} is neither a module nor an attribute of one" for name in sorted(names) if not _resolves(name)]


def _resolves(name: str) -> bool:
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        module = ".".join(parts[:depth])
        if not _is_module(module):
            continue
        found = importlib.import_module(module) if depth < len(parts) else None  # a module itself need not be run
        for part in parts[depth:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what stands before the last dot is no package
        return False


def path_faults(text: str, root: Path) -> list[str]:
    """A sentence for every path of the repository in a text where nothing lies.

    `{a,b}` and `*` mean what they mean in a shell; `data/x` may also be the room `stvit_video/data/x`.

    Args:
        text: of a page.
        root: the repository.
    """
    written = {path.rstrip(".,/") for path in _PATH.findall(text)}
    paths = sorted(path for whole in written for path in _expanded(whole))
    return [f"there is no {path}" for path in paths if not _is_there(path, root)]


def _is_there(path: str, root: Path) -> bool:
    made_later = any(path == made or path.startswith(f"{made}/") for made in MADE_LATER)
    return made_later or any(root.glob(path)) or any((root / PACKAGE).glob(path))


def _expanded(path: str) -> Iterator[str]:
    match = re.search(r"\{([^{}]*)\}", path)
    if match is None:
        yield path
        return
    for choice in match[1].split(","):
        yield from _expanded(path[: match.start()] + choice + path[match.end() :])


def link_faults(text: str, *, folder: Path) -> list[str]:
    """A sentence for every relative link of a page without its file, or to a heading that the file lacks.

    Args:
        text: of the page.
        folder: that it lies in.
    """
    faults = []
    for link in sorted(set(_LINK.findall(text))):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        file = folder / target
        if target and not file.exists():
            faults.append(f"the link {link} leads nowhere")
        elif anchor and anchor not in map(_anchor, headings(file.read_text(encoding="utf-8") if target else text)):
            faults.append(f"the link {link} names no heading")
    return faults


def _anchor(heading: str) -> str:
    """What a heading is called in an address, as GitHub and most others make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def headings(text: str) -> list[str]:
    """The headings of a page, those in code blocks not taken for any."""
    return _HEADING.findall(_FENCED.sub("", text))


def citation_faults(text: str, *, page: str, known: Callable[[], list[str]]) -> list[str]:
    """A sentence for every citation `page, "Heading"` in a source file whose heading the page lacks, or that has none.

    Args:
        text: of the source file.
        page: as it is cited, such as docs/develop/design.md.
        known: gives the headings of the page.
    """
    faults = []
    for match in re.finditer(re.escape(page) + r'(?:,\s+"([^"]+)")?', text):
        if match[1] is None:
            faults.append(f"{page} is cited without a heading")
        elif " ".join(match[1].split()) not in known():
            faults.append(f'{page} has no heading "{match[1]}"')
    return faults


def table_rows(text: str, *, first: str) -> list[list[str]]:
    """The cells of the rows of the table whose first column is headed `first`, without its two head rows."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def in_backticks(cell: str) -> list[str]:
    """The words that stand in backticks."""
    return re.findall(r"`([^`]+)`", cell)
