"""The page of all commands, in Markdown, written from their declarations."""

import re
from collections.abc import Iterable, Mapping, Sequence

from stvit_video.config.nodes import COMMANDS as OF_HYDRA
from stvit_video.utils.command_line import Command

HEAD = """# Commands

Written by `python scripts/write_reference_pages.py` from what each command declares; don't edit it. `--help` prints the
same.

Settings are `key=value` in every command; only switches have dashes. `--debug` shows the traceback of an error. The
exit status is 0 for done, 1 for failed, 2 for a setting that is wrong, unknown or missing, 130 after Ctrl-C and 143
after SIGTERM. The examples name files of yours; a test reads them and does not run them.
"""
TABLE = "| setting | value | default | what it does |\n|---|---|---|---|"
MARK = "<!-- docs-test: compose -->"


def command_page(
    commands: Iterable[Sequence[Command]], scripts: Iterable[Sequence[Command]], shell_scripts: Mapping[str, str]
) -> str:
    """All commands in Markdown.

    Args:
        commands: of the package; of each its declarations, one for every first word.
        scripts: those in scripts/, alike.
        shell_scripts: name -> text of the scripts of the shell.
    """
    parts = [HEAD.strip(), *map(_section, commands), "## Scripts", *(_section(one, level=3) for one in scripts)]
    return "\n\n".join([*parts, *(shell_section(name, text) for name, text in shell_scripts.items())]) + "\n"


def _section(declared: Sequence[Command], *, level: int = 2) -> str:
    """A command with what it can be given, and examples."""
    name = declared[0].prog.removeprefix("python ").removeprefix("-m ")
    parts = [f"{'#' * level} `{name}`"]
    for command in declared:
        usage = command.help_text().partition("\n")[0].removeprefix("usage: ")
        parts += [command.summary, f"`{usage}`", *_given(command), *_notes(command)]
        parts.append("\n".join([MARK, "```bash", *command.examples, "```"]))
    return "\n\n".join(parts)


def _given(command: Command) -> list[str]:
    """What a command can be given, as a table; of a command of Hydra, whose settings have a page, the link."""
    name = command.prog.rpartition(".")[2]
    if name in OF_HYDRA:
        return [f"[Its settings](../settings.md#stvit_video{name}) stand on a page of their own."]
    positional, rows = command.positional, []
    if positional is not None:
        rows.append((positional.sign, "", "", positional.help))
    for setting in command.settings:
        default = "must be given" if setting.is_needed else setting.default_text()
        rows.append((setting.name, setting.kind.sign.replace("|", " or "), default, setting.help))
    rows += [(f"--{switch.name}", "", "", switch.help) for switch in command.switches]
    lines = [f"| `{name}` | {' | '.join(map(_escaped, words))} |" for name, *words in rows]
    return ["\n".join([TABLE, *lines])] if rows else []


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _notes(command: Command) -> list[str]:
    """The lines behind the examples of --help, each a paragraph, with the commands that they name as code."""
    return [re.sub(r"python -m [\w. -]+\w", r"`\g<0>`", _escaped(line)) for line in command.notes.splitlines() if line]


def shell_section(name: str, text: str) -> str:
    """A script of the shell, by the comment that it begins with: examples are indented there.

    Args:
        name: such as "scripts/test.sh".
        text: of the script.
    """
    head: list[str] = []
    for line in text.splitlines()[1:]:
        if not line.startswith("#") or line.startswith("#SBATCH"):
            break
        head.append(line[2:])
    examples = _commented([line.strip() for line in head if line.startswith("  ")])
    words = "\n".join("" if line.startswith("  ") else line for line in head)
    first, *more = [_escaped(" ".join(part.split())) for part in words.split("\n\n") if part.strip()]
    return "\n\n".join([f"### `{name}`", first, "\n".join([MARK, "```bash", *examples, "```"]), *more])


def _commented(examples: Sequence[str]) -> list[str]:
    """Examples whose explanations, behind several spaces, are comments of the shell."""
    parts = [(line.partition("   ")[0], line.partition("   ")[2].strip()) for line in examples]
    width = max(len(line) for line, _ in parts)
    return [f"{line:{width}}  # {words}" if words else line for line, words in parts]
