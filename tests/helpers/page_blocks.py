"""The fenced blocks of a Markdown page, and what the comment before each says of how it is tested.

A block of commands is ```bash, of Python ```python; both are run, from the top of the page to its end, in one folder
and one namespace. `<!-- docs-test: ... -->` in the line before a block changes that, see `MODES`.
"""

import re
import shlex
import textwrap
from dataclasses import dataclass

RUN, COMPOSE, DEPLOY, NOT_RUN = "run", "compose", "deploy", "not run"
MODES = (
    "docs-test: run optim.lr=1e-3 ... (with more settings, so that it takes seconds)",
    "docs-test: compose (the settings are read, nothing is run)",
    "docs-test: deploy (run where the deployment libraries are, composed elsewhere)",
    "docs-test: not run: REASON",
)
LANGUAGES = ("bash", "python", "text", "yaml", "csv", "json", "toml", "ini", "bibtex", "diff", "dockerfile", "markdown")
COMMANDS = r"(?:python3? (?:-m stvit_video|scripts/)|torchrun |sbatch |srun |bash scripts/)"  # of ours, in any block
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks) *$", re.M | re.S
)
_MARK = re.compile(r"<!-- *docs-test: *(.*?) *-->")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        language: the first word behind the fence, "" = none.
        text: what stands in it, without the indent of the fence.
        line: of the page, of its first line, counted from 1.
        mode: RUN, COMPOSE, DEPLOY or NOT_RUN.
        more: settings that it is run with, beside its own.
        reason: why it is not run.
        is_marked: True = a comment says how it is tested.
    """

    language: str
    text: str
    line: int
    mode: str = RUN
    more: tuple[str, ...] = ()
    reason: str = ""
    is_marked: bool = False


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, in their order.

    Raises:
        ValueError: a comment that says nothing of `MODES`.
    """
    return [_block(match, page) for match in _FENCE.finditer(page)]


def _block(match: re.Match[str], page: str) -> Block:
    line = page.count("\n", 0, match.start()) + 1
    before = page[: match.start()].rstrip(" ").removesuffix("\n").rpartition("\n")[2].strip()
    mark = _MARK.fullmatch(before)
    language = (match["info"].split() or [""])[0]
    common = {"language": language, "text": textwrap.dedent(match["text"]), "line": line + 1}
    return Block(**common, **(_mode(mark[1], line - 1) if mark else {}), is_marked=mark is not None)


def _mode(words: str, line: int) -> dict:
    kind = next((kind for kind in (NOT_RUN, COMPOSE, DEPLOY, RUN) if re.match(rf"{kind}\b", words)), "")
    rest = words[len(kind) :].strip()
    if kind == RUN:
        return {"mode": RUN, "more": tuple(shlex.split(rest))}
    if kind in (COMPOSE, DEPLOY) and not rest:
        return {"mode": kind}
    if kind == NOT_RUN and rest.startswith(":") and rest[1:].strip():
        return {"mode": NOT_RUN, "reason": rest[1:].strip()}
    raise ValueError(f"line {line}: docs-test: {words} says nothing; write one of: {'; '.join(MODES)}")


def form_faults(page: str) -> list[str]:
    """A sentence for every block whose language or comment can't be right: nothing escapes the test by its form."""
    faults = []
    for block in blocks_of(page):
        shown = re.search(rf"^(?:\$ )?{COMMANDS}", block.text, re.MULTILINE)
        if block.language and block.language not in LANGUAGES:
            faults.append(f"line {block.line}: {block.language} is no language of blocks; use {', '.join(LANGUAGES)}")
        if shown and block.language != "bash":
            faults.append(f"line {block.line}: commands of ours stand in ```bash, not in ```{block.language}")
        if block.is_marked and block.language not in ("bash", "python"):
            faults.append(f"line {block.line}: docs-test is for ```bash and ```python, not for ```{block.language}")
        if block.language == "python" and block.mode == COMPOSE:
            faults.append(f"line {block.line}: Python is run or not run; there is nothing to compose")
        if block.language == "bash" and not block.is_marked and not re.search(COMMANDS, block.text):
            faults.append(f"line {block.line}: no command of ours and no docs-test comment; write one")
    loose = [number for number, line in enumerate(page.splitlines(), 1) if _MARK.fullmatch(line.strip())]
    used = {block.line - 2 for block in blocks_of(page) if block.is_marked}
    return faults + [f"line {number}: docs-test stands before no block" for number in loose if number not in used]
