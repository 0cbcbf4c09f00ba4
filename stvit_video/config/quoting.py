"""Settings on a command line that Hydra can't read, in the form that works: quoted for Hydra and for a shell.

In Hydra's grammar a plain value has letters of ASCII, digits, spaces within, and a few signs. A path may hold others,
such as "=", brackets or the letters of other scripts, and then needs quotes of its own, which a shell would take off.
"""

import shlex
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import GrammarParseError, OmegaConfBaseException

PLAIN_SIGNS = "/-\\+.$%*@?|:_ "


def unreadable_overrides(arguments: Sequence[str], *, multirun: bool) -> list[str]:
    """A sentence for each override that Hydra can't read, or takes for several values where one is wanted.

    Args:
        arguments: overrides, as a command line has them.
        multirun: whether several values of a setting are several jobs.
    """
    faults = []
    for place, text in enumerate(arguments):
        if "=" not in text and not text.startswith("~"):
            faults.append(_stray_word(arguments, place))
            continue
        override = _parsed(text)
        if override is None:
            faults.append(_unreadable(text))
        elif override.is_sweep_override() and not multirun:
            faults.append(_several(text))
    return [fault for fault in faults if fault]


def quoted_for_shell(key: str, value: str) -> str | None:
    """`key=value` with the value as one text: read by a shell and then by Hydra it is that text; None = it can't be.

    Args:
        key: of the setting, with "+" or "++" where it has one.
        value: of the setting.
    """
    literal = _literal(value)
    for quote in (Quote.double, Quote.single):
        text = f"{key}={QuotedString(text=literal, quote=quote).with_quotes()}"
        override = _parsed(text)
        if override is not None and not override.is_sweep_override() and override.value() == literal:
            return shlex.quote(text)
    return None


def _literal(value: str) -> str:
    """The value, with "${" written out where it begins no reference to another setting that can be read."""
    try:
        OmegaConf.create({"value": value}).get("value")
    except GrammarParseError:
        return value.replace("${", "\\${")
    except OmegaConfBaseException:
        return value
    return value


def _unreadable(text: str) -> str:
    key, _, value = text.partition("=")
    form = quoted_for_shell(key, value)
    if form is None:
        return f"{text} can't be read; a setting is key=value, and a value of odd signs stands in quotes"
    odd = [sign for sign in value if not (sign.isascii() and sign.isalnum()) and sign not in PLAIN_SIGNS]
    signs = " ".join(dict.fromkeys(odd))
    why = f"a value with {signs} needs quotes" if signs else "this value needs quotes"
    listed = _quoted_items(key, value)
    several = "several values" if value.startswith("[") else "several runs with -m"
    return f"{text} can't be read, {why}; write {form}" + (f", or {listed} for {several}" if listed else "")


def _several(text: str) -> str:
    key, _, value = text.partition("=")
    form, listed = quoted_for_shell(key, value), shlex.quote(f"{key}=[{value}]")
    if form is None or _parsed(f"{key}=[{value}]") is None:
        return ""
    return f"{text} is several values, which -m alone takes; write {form} for one text, or {listed} for a list"


def _stray_word(arguments: Sequence[str], place: int) -> str:
    """What to say of a word without "=": mostly the rest of a value whose space the shell has split at."""
    word, before = arguments[place], [number for number in range(place) if "=" in arguments[number]]
    way = "settings are key=value, and --help lists them"
    if not before or before[-1] != place - 1:
        return "" if before and before[-1] < place else f"{word} is no setting; {way}"
    end = next((n for n in range(place, len(arguments)) if "=" in arguments[n]), len(arguments))
    whole = " ".join(arguments[before[-1] : end])
    key, _, value = whole.partition("=")
    override = _parsed(whole)
    reads = override is not None and not override.is_sweep_override() and override.value() == value
    form = shlex.quote(whole) if reads else quoted_for_shell(key, value)
    rest = " ".join(arguments[place:end])
    return f"{rest} is no setting; {way}; if it belongs to the value before it, write {form}"


def _quoted_items(key: str, value: str) -> str | None:
    """The form of a list, [a,b], or of choices, a,b, whose items need quotes; None = it is neither."""
    is_list = value.startswith("[") and value.endswith("]")
    items = (value[1:-1] if is_list else value).split(",")
    if not (is_list or len(items) > 1) or not all(item.strip() for item in items):
        return None
    texts = ",".join(QuotedString(text=item.strip(), quote=Quote.double).with_quotes() for item in items)
    form = f"{key}=[{texts}]" if is_list else f"{key}={texts}"
    return shlex.quote(form) if _parsed(form) is not None else None


def _parsed(text: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException:
        return None
