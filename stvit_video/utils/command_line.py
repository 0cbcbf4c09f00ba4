"""Command lines: a command says which settings it has, and all commands read them alike.

    python -m stvit_video.ledger ledger.parquet clips=0,2 by=class

Settings are key=value and switches have dashes. `--key value` and `--key=value` mean the same as key=value. Behind "--"
everything is a file. Train, evaluate and doctor leave their settings to Hydra, and take only --help from here.
"""

import re
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any

from stvit_video.utils.exit_status import FILES_FOLLOW, Errors, exit_status, take_debug
from stvit_video.utils.value_kinds import PATH, YES_NO, Kind

HELP = ("--help", "-h")
WIDTH = 26
EXCLUDE = "exclude each other; give one of them"


class CommandLineError(ValueError):
    """A command line that can't be used; the message tells all that is wrong, a sentence each."""


class Given(SimpleNamespace):
    """What a command line gives: an attribute for each setting, switch and positional, defaults filled in.

    `named` has the names of the settings that stand on the command line. It is no value: `vars()` and comparisons leave
    it out.
    """

    __slots__ = ("named",)
    named: frozenset[str]

    def __init__(self, *, named: frozenset[str] = frozenset(), **values: Any) -> None:
        super().__init__(**values)
        self.named = named

    def __getattr__(self, name: str) -> Any:  # for type checkers: they can't know the names
        raise AttributeError(name)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting, key=value.

    Attributes:
        name: the key.
        kind: how its text is read.
        help: one line for --help.
        default: the value where it is not given. null on the command line gives a default of None, too.
        default_words: what --help says of a default that is None, such as "the checkpoint's".
        is_needed: True = it must be given.
        stand_ins: settings one of which may be given in its place, so that it is not needed.
        aliases: older names of it.
        excludes: settings that must not be given beside it.
    """

    name: str
    kind: Kind
    help: str
    default: Any = None
    default_words: str = "none"
    is_needed: bool = False
    stand_ins: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def help_line(self) -> str:
        """Its line in --help."""
        needed = ", or ".join(["needed", *(f"{name}=" for name in self.stand_ins)])
        note = needed if self.is_needed else f"default: {self.default_text()}"
        return f"  {f'{self.name}={self.kind.sign}':{WIDTH - 1}} {self.help} ({note})"

    def default_text(self) -> str:
        """What --help says of its default."""
        return self.default_words if self.default is None else _written(self.default)

    def read(self, text: str) -> Any:
        """The value of a text.

        Raises:
            ValueError: a sentence with name, text and rule.
        """
        if text == "null" and self.default is None and not self.is_needed:
            return None
        try:
            return self.kind.read(text)
        except ValueError as error:
            way = "" if "?" in str(error) else f", such as {self.name}={self.kind.example}"
            raise ValueError(f"{self.name}={text!r} {error}{way}") from error


@dataclass(frozen=True)
class Switch:
    """A word with dashes that has no value: `Switch("measure", ...)` is --measure."""

    name: str
    help: str


@dataclass(frozen=True, kw_only=True)
class Positional:
    """Words without a key, one or (`is_many`) several; the attribute `name` has the value, or a tuple of values."""

    name: str
    sign: str
    help: str
    is_many: bool = False
    kind: Kind = PATH


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and what it can be given.

    Attributes:
        prog: how it is started, such as "python -m stvit_video.ledger".
        summary: what it does, in a sentence or more.
        examples: whole command lines, two or more.
        word: that must come first, such as "explain".
        notes: more for --help, at its end.
    """

    prog: str
    summary: str
    examples: tuple[str, ...]
    settings: tuple[Setting, ...] = ()
    switches: tuple[Switch, ...] = ()
    positional: Positional | None = None
    word: str = ""
    notes: str = ""

    def run(
        self, work: Callable[[Given], int | None], arguments: Sequence[str] | None = None, *, failures: Errors = ()
    ) -> int:
        """Read the command line and do the work; the exit status is that of `exit_status`.

        Args:
            work: from what is given to a status; None = 0.
            arguments: words of the command line; None = those of this process.
            failures: see `exit_status`.
        """
        words, debug = take_debug(sys.argv[1:] if arguments is None else arguments)
        if asks_for_help(words):
            return exit_status(lambda: print(self.help_text()))
        return exit_status(
            lambda: work(self.parse(words)),
            debug=debug,
            failures=failures,
            settings=lambda: [setting.name for setting in self.settings],
        )

    def parse(self, arguments: Sequence[str]) -> Given:
        """What the words of a command line give.

        Raises:
            CommandLineError: lists every unknown name, every wrong value and all that is missing.
        """
        reader = _Reader(self, arguments)
        given = reader.values()
        if reader.faults:
            raise CommandLineError("; ".join(reader.faults))
        return given

    def help_text(self) -> str:
        """What --help prints."""
        files = self.positional
        signs = [] if files is None else [files.sign, f"[{files.sign} ...]"] if files.is_many else [files.sign]
        usage = [self.prog, *([self.word] if self.word else []), *signs, "[key=value ...]"]
        switches = (*self.switches, Switch("debug", "show the traceback of an error"), Switch("help", "show this text"))
        lines = [f"usage: {' '.join(usage)}", "", self.summary, ""]
        lines += [f"  {files.sign:{WIDTH - 1}} {files.help}"] if files is not None else []
        lines += [setting.help_line() for setting in self.settings]
        lines += [f"  {f'--{switch.name}':{WIDTH - 1}} {switch.help}" for switch in switches]
        lines += ["", f"A file whose name holds '=' or begins with '-' goes after '{FILES_FOLLOW}'."] if files else []
        lines += ["", "examples:", *(f"  {example}" for example in self.examples)]
        return "\n".join([*lines, *(["", self.notes] if self.notes else [])])


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether --help or -h is among the words, before "--"."""
    words = list(arguments)
    return bool(set(HELP) & set(words[: words.index(FILES_FOLLOW)] if FILES_FOLLOW in words else words))


class _Reader:
    """The words of one command line, and what is wrong with them."""

    def __init__(self, command: Command, arguments: Sequence[str]) -> None:
        self.command = command
        self.faults: list[str] = []
        self.by_name: Mapping[str, Setting] = {
            name: setting for setting in command.settings for name in (setting.name, *setting.aliases)
        }
        self.switches = {switch.name: False for switch in command.switches}
        self.texts: dict[str, str] = {}
        self.broken: set[str] = set()  # given without a value
        self.free: list[str] = []
        self.is_unclear = False  # something unknown may be a file, or the word behind it its value
        words = list(arguments)
        end = words.index(FILES_FOLLOW) if FILES_FOLLOW in words else len(words)
        rest = deque(words[:end])
        while rest:
            self._take(rest.popleft(), rest)
        self.free += words[end + 1 :]

    def values(self) -> Given:
        """What is given; of use where there is no fault."""
        given: dict[str, Any] = dict(self.switches)
        given |= self._free_values()
        for setting in self.command.settings:
            given[setting.name] = self._value(setting)
        return Given(named=frozenset(self.texts), **given)

    def _take(self, word: str, rest: deque[str]) -> None:
        key, equals, text = word.partition("=")
        if word.startswith("--"):
            self._take_option(key[2:].replace("-", "_"), text if equals else None, rest)
        elif equals:
            self._set(key, text)
        elif word.startswith("-") and not re.fullmatch(r"-[\d.]*", word):  # "-" is standard input
            self._unknown(word, may_be_file="." in word)
        else:
            self.free.append(word)

    def _take_option(self, name: str, text: str | None, rest: deque[str]) -> None:
        if name in self.switches and text is None:
            self.switches[name] = True
            return
        setting = self.by_name.get(name)
        if text is None and setting is not None:
            if setting.kind is YES_NO:
                text = "true"
            elif rest and not rest[0].startswith("--"):
                text = rest.popleft()
            else:
                self.faults.append(f"{name} has no value; give one, such as {setting.name}={setting.kind.example}")
                self.broken.add(setting.name)
                return
        self.is_unclear |= setting is None and text is None
        self._set(name, text or "", shown=f"--{name.replace('_', '-')}")

    def _set(self, name: str, text: str, *, shown: str = "") -> None:
        if name in self.by_name:
            self.texts[self.by_name[name].name] = text
        else:
            self._unknown(shown or name, may_be_file=not shown)

    def _unknown(self, name: str, *, may_be_file: bool = False) -> None:
        words = [*self.by_name, *(f"--{switch}" for switch in self.switches)]
        close = get_close_matches(name, words, n=1) or get_close_matches(name.lstrip("-"), words, n=1)
        names = ", ".join([*(setting.name for setting in self.command.settings), *words[len(self.by_name) :]])
        way = f"the settings are {names}" if names else "there are none"
        if close:
            way = f"did you mean {self.by_name[close[0]].name if close[0] in self.by_name else close[0]}?"
        self.is_unclear |= may_be_file
        file = f" (a file of this name goes after '{FILES_FOLLOW}')" if may_be_file and self.command.positional else ""
        self.faults.append(f"{name} is no setting; {way}{file}")

    def _value(self, setting: Setting) -> Any:
        if setting.name not in self.texts:
            is_replaced = any(name in self.texts for name in setting.stand_ins)
            if setting.is_needed and not is_replaced and setting.name not in self.broken:
                ways = [f"{setting.name}={setting.kind.example}", *(f"{name}=" for name in setting.stand_ins)]
                self.faults.append(f"{setting.name} is missing; give {' or '.join(ways)}")
            return setting.default
        beside = [name for name in setting.excludes if name in self.texts]
        if beside and f"{beside[0]} and {setting.name} {EXCLUDE}" not in self.faults:
            self.faults.append(f"{setting.name} and {beside[0]} {EXCLUDE}")
        try:
            return setting.read(self.texts[setting.name])
        except ValueError as error:
            self.faults.append(str(error))
            return None

    def _free_values(self) -> dict[str, Any]:
        words, word, files = self.free, self.command.word, self.command.positional
        if word:
            if words[:1] != [word]:
                self.faults.append(f"the first word must be {word}, got {words[0] if words else 'nothing'!r}")
            words = words[1:]
        if files is None:
            self.faults += [f"{text!r} is no setting; settings are key=value, see --help" for text in words]
            return {}
        if (not words or (len(words) > 1 and not files.is_many)) and not self.is_unclear:
            count = f"{len(words)} words are given for {files.sign}" if words else f"{files.sign} is missing"
            self.faults.append(f"{count}; give one{' or more' * files.is_many}, {files.help}")
        values = tuple(files.kind.read(text) for text in words if text)
        return {files.name: values if files.is_many else values[0] if values else None}


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
