"""Completion for bash: every setting of the commands that Hydra configures, and what its groups choose from.

Hydra's own (`-sc install=bash`) knows `python file.py` and no `python -m`, and it starts the command with torch at
every key. This one is written once and takes no time.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from stvit_video.config.unknown_keys import known_settings
from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.models.registry import list_models
from stvit_video.settings.paths import CONF_DIR

_TRAIN_GROUPS = ("augment", "optim", "task", "trainer")  # beside model and data
_SCRIPT = """\
# Completion for bash of `python -m stvit_video.COMMAND`; written by `python -m stvit_video --completion`.
{words}
_stvit_video() {{
  local line=${{COMP_LINE:0:COMP_POINT}} word words
  [[ $line =~ [[:space:]]-m[[:space:]]+(stvit_video[.a-z_]*)?([[:space:]].*)?$ ]] || return 0
  word=${{line##*[[:space:]]}}
  if [[ -z ${{BASH_REMATCH[2]}} ]]; then
    words=$_stvit_video_commands
  else
    case ${{BASH_REMATCH[1]}} in
{cases}
      *) return 0 ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  # a space behind what is whole; bash 3 has no compopt
  [[ ${{#COMPREPLY[@]}} == 1 && ${{COMPREPLY[0]}} != *= ]] && compopt +o nospace 2> /dev/null
  # bash replaces what stands behind the last "=", where "=" ends a word
  if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then
    COMPREPLY=("${{COMPREPLY[@]#"${{word%%=*}}="}}")
  fi
}}
complete -o bashdefault -o default -o nospace -F _stvit_video python python3 torchrun
"""


def completion_script(commands: Sequence[str]) -> str:
    """What a bash sources.

    Args:
        commands: modules that `python -m` starts, such as "stvit_video.train".
    """
    configured = {name: command_words(name) for name in ("train", "evaluate", "doctor")}
    lists = {"commands": list(commands), **configured}
    words = "\n".join(_assignment(name, found) for name, found in lists.items())
    cases = "\n".join(f"      stvit_video.{name}) words=$_stvit_video_{name} ;;" for name in configured)
    return _SCRIPT.format(words=words, cases=cases)


def command_words(config_name: str) -> list[str]:
    """What may follow a command: `name=` for each setting, `group=choice` for each choice of a group.

    Args:
        config_name: "train", "evaluate" or "doctor".
    """
    names = known_settings(config_name)
    groups = {name.rpartition(".")[0] for name in names}
    words = {f"{name}=" for name in names if name not in groups}
    if config_name != "evaluate":
        words |= {f"data={name}" for name in {*LAYOUTS, *_files("data")}}
    if config_name == "train":
        words |= {f"model={name}" for name in list_models()}
        words |= {f"{group}={name}" for group in _TRAIN_GROUPS for name in _files(group)}
        words |= {f"+experiment={name}" for name in _files("experiment")}
    return sorted(words)


def _files(group: str) -> Iterable[str]:
    """The choices of a group that have a file; those that begin with "_" are parts of others."""
    return (path.stem for path in Path(CONF_DIR, group).glob("*.yaml") if not path.stem.startswith("_"))


def _assignment(name: str, words: Iterable[str]) -> str:
    return f"_stvit_video_{name}='{' '.join(words)}'"
