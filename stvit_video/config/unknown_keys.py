"""Settings that no configuration file knows: Hydra takes `+optim.lrr=1` without a word, and nothing would read it."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from stvit_video.settings.paths import CONF_DIR
from stvit_video.utils.compat import parse_hydra_arguments

Settings = Mapping[str, Any]
GROUPS = {"train": ("data", "optim", "augment", "trainer", "sweep"), "evaluate": ("sweep",)}  # of whole files


def mark_unknown(arguments: Sequence[str], *, config_name: str) -> list[str]:
    """Command line arguments, with a "+" before settings that the configuration does not have.

    Hydra would end at the first of them; so it takes them, and `unknown_faults` tells them with all that is wrong.

    Args:
        arguments: of the command line. Those with `--cfg`, `--help` and the like come back as they are.
        config_name: of the configuration.
    """
    flags = parse_hydra_arguments(arguments)
    if arguments != flags.overrides:
        return list(arguments)
    marked = list(arguments)
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        while True:
            try:
                compose(config_name, overrides=marked)
            except ConfigCompositionException as error:
                found = re.match(r"Could not override '(.+)'", str(error))
                places = [n for n, text in enumerate(marked) if found and text.startswith(f"{found[1]}=")]
                if not places:
                    return marked
                marked[places[0]] = f"+{marked[places[0]]}"
            except Exception:  # another fault of the command line, which Hydra is going to tell
                return marked
            else:
                return marked


def unknown_faults(settings: Settings, *, config_name: str = "train") -> list[str]:
    """A sentence for each setting that no file of the configuration has.

    Args:
        settings: the resolved configuration as plain values. A model to train has `create_model` to check its options.
        config_name: "train" or "evaluate".
    """
    known = known_settings(config_name)
    given = [key for key in settings if (config_name, key) != ("train", "model")]
    groups = [key for key in given if key in known and isinstance(settings[key], dict)]
    nested = [f"{group}.{key}" for group in groups for key in settings[group]]
    hint = f"python -m stvit_video.{config_name} --cfg job prints all that there are"
    return [_sentence(name, known, hint) for name in (*given, *nested) if name not in known]


@cache
def known_settings(config_name: str = "train") -> frozenset[str]:
    """The names of all settings but those of a model to train, such as "optim.lr"."""
    own = _read(Path(CONF_DIR, f"{config_name}.yaml"))
    names = {
        "model",
        *own,
        *(f"{group}.{key}" for group, values in own.items() if isinstance(values, dict) for key in values),
    }
    for group in GROUPS[config_name]:
        files = Path(CONF_DIR, group).glob("*.yaml")
        names |= {group, *(f"{group}.{key}" for path in files for key in _read(path))}
    return frozenset(names)


def _read(path: Path) -> dict[str, Any]:
    content: Any = OmegaConf.to_container(OmegaConf.load(path))
    return {str(key): value for key, value in (content or {}).items() if key not in ("defaults", "hydra")}


def _sentence(name: str, known: frozenset[str], hint: str) -> str:
    group, dot, own = name.rpartition(".")
    beside = [other.rpartition(".")[2] for other in known if other.rpartition(".")[0] == group]
    close = get_close_matches(own, beside, n=1)
    return f"{name} is no setting; {f'did you mean {group}{dot}{close[0]}?' if close else hint}"
