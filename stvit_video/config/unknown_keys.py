"""Settings that no configuration file knows: Hydra takes `+optim.lrr=1` without a word, and nothing would read it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from stvit_video.settings.paths import CONF_DIR
from stvit_video.utils.compat import parse_hydra_arguments

Settings = Mapping[str, Any]
GROUPS = {"train": ("data", "optim", "augment", "trainer", "sweep"), "evaluate": ("sweep",)}  # of whole files


def mark_unknown(arguments: Sequence[str], *, config_name: str) -> list[str]:
    """Command line arguments, with a "+" before settings that the configuration does not have.

    Hydra would end at the first of them; so it takes them, and `unknown_faults` tells them with all that is wrong.
    Which names there are depends on the choices of files, such as data=ucf101 or +experiment=ssv2: the configuration is
    made of these alone, and all other overrides are compared with it, in their order.

    Args:
        arguments: of the command line. Those with `--cfg`, `--help` and the like come back as they are.
        config_name: of the configuration.
    """
    if arguments != parse_hydra_arguments(arguments).overrides:
        return list(arguments)
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        marked = list(arguments)
        try:
            overrides = OverridesParser.create(config_loader=loader).parse_overrides(marked)
            choices = [_marked_choice(override, config_name, loader) for override in overrides]
            marked = [choice or text for choice, text in zip(choices, arguments, strict=True)]
            config = compose(config_name, overrides=[text for text in choices if text], return_hydra_config=True)
        except Exception:  # another fault of the command line, which Hydra is going to tell
            return marked
    triples = zip(arguments, overrides, choices, strict=True)
    return [choice or (text if _takes(config, override) else f"+{text}") for text, override, choice in triples]


def _marked_choice(override: Override, config_name: str, loader: ConfigLoader) -> str:
    """An override of files, or of where they lie, with a "+" where none of its group is chosen yet; "" = of a value."""
    text, key = str(override.input_line), override.key_or_group
    if key == "hydra.searchpath" or override.is_sweep_override():
        return text
    if not loader.get_group_options(key) or isinstance(override.value(), dict):
        return ""
    is_plain = not (override.is_add() or override.is_force_add() or override.is_delete())
    is_new = override.package is not None or not (key in _chosen_groups(config_name) or key.startswith("hydra/"))
    return f"+{text}" if is_plain and is_new else text


def _takes(config: DictConfig, override: Override) -> bool:
    """Whether a configuration has the names of an override that must not add any; its value is put there either way."""
    if override.is_delete() or override.package is not None:  # the latter is no group's, which Hydra is going to tell
        return True
    adds, key, value = override.is_add() or override.is_force_add(), override.key_or_group, override.value()
    try:
        OmegaConf.update(config, key, value, force_add=adds)
    except (ConfigAttributeError, ConfigKeyError):
        with suppress(Exception):
            OmegaConf.update(config, key, value, force_add=True)  # later overrides may set it again
        return False
    except Exception:  # a fault of the value, which Hydra is going to tell
        return True
    return True


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
def _chosen_groups(config_name: str) -> frozenset[str]:
    """Groups of which the configuration itself chooses a file, such as "model"."""
    entries = OmegaConf.load(Path(CONF_DIR, f"{config_name}.yaml")).defaults
    return frozenset(str(key) for entry in entries if isinstance(entry, DictConfig) for key in entry)


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
