"""A sentence about Python's parameters, in the words of a command line: "use pool='mean'" as "use model.pool=mean"."""

import re
from collections.abc import Collection, Mapping

__all__ = ["as_settings"]

# what stands in quotes as a whole is a file or a text of the user; then a name with its value, or a name with "_" alone
WORDS = re.compile(
    r"""(?P<text>(?<![\w=.])(?:'[^']*'|"[^"]*"))"""
    r"""|(?<![\w./\\=<{\-])(?P<group>(?:data|model|optim|trainer)\.)?(?P<name>[a-z][a-z0-9_]*)(?:(?P<value>=(?:'[^']*'|"[^"]*"|\([^()]*\)|\[[^\[\]]*\]|[^\s,;:)\]]*))"""
    r"""|(?![\w.=/\\(-]))"""
)
IN_A_TRAINING = re.compile(r" \(in a training [a-z._]+\)")  # for warnings: in errors the setting has its name by then
CONSTANTS = {"True": "true", "False": "false", "None": "null"}


def as_settings(sentence: str, names: Collection[str]) -> str:
    """Put the settings of a command for the parameters of the functions that it calls.

    A name is changed where the command has no setting of that name and one single group has, such as "model"; in a
    sentence about "model=..." that group goes first. A setting of a training, such as data.backend, loses its group
    where the command has it without. Its value loses Python's quotes and brackets. The rest stays.

    Args:
        sentence: of an error.
        names: settings of the command, such as "model.num_tokens" or "top_k".
    """
    owners = _owners(names, first="model" if sentence.startswith("model=") else "data")

    def spelled(match: re.Match[str]) -> str:
        name, value = match["name"], match["value"]
        if match["text"] or not (value or "_" in name) or name not in owners:
            return match[0]
        if sentence.startswith(" is no setting", match.end()):  # what the user wrote
            return match[0]
        whole = f"{match['group'] or ''}{name}"
        if whole in names or (match["group"] and name not in names):
            return match[0]
        return owners[name] + _plain(value or "")

    return WORDS.sub(spelled, IN_A_TRAINING.sub("", sentence))


def _owners(names: Collection[str], *, first: str) -> Mapping[str, str]:
    """The whole name of each setting by its last part, where it is clear."""
    owners: dict[str, str] = {}
    unclear: set[str] = set()
    for name in sorted(names, key=lambda name: (not name.startswith(f"{first}."), name)):
        own = name.rpartition(".")[2]
        if own in owners and not owners[own].startswith(f"{first}."):
            unclear.add(own)
        owners.setdefault(own, name)
    bare = {name: name for name in names if "." not in name}
    return {own: name for own, name in owners.items() if own not in unclear} | bare


def _plain(value: str) -> str:
    """'=value' as a command line has it."""
    text = value.removeprefix("=")
    if text[:1] in "'\"" and len(text) > 1:
        return f"={text[1:-1]}"
    if text[:1] in ("(", "["):
        return "=[" + ",".join(part.strip() for part in text[1:-1].split(",") if part.strip()) + "]"
    return f"={CONSTANTS.get(text, text)}" if value else ""
