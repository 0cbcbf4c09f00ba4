"""Settings that nobody knows. Hydra ends at the first of them, and takes `+optim.lrr=1` in silence."""

from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from stvit_video.config.nodes import COMMANDS, SWEPT
from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.dense.create_dense import HEADS, head_options
from stvit_video.factories.layout_settings import layout_settings
from stvit_video.models.registry import list_models, option_defaults
from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.reading import setting_names
from stvit_video.settings.sweep_settings import SweepSettings
from stvit_video.utils.compat import parse_hydra_arguments

NUM_SHOWN = 12  # choices in a message
WITHOUT_TASK = {  # commands that have no such group
    "evaluate": "evaluate takes no task=, because the checkpoint says it; leave it out",
    "doctor": "doctor takes no task=, because it checks the annotations for all tasks; leave it out",
}
FOLDERS = ("run", "out")  # as other commands call where the results go
FOLDER = "the folder of the results is hydra.run.dir=FOLDER"


def mark_unknown(arguments: Sequence[str], *, config_name: str) -> list[str]:
    """Command line arguments, with a "+" before settings that the configuration does not have.

    Hydra would end at the first of them; so it takes them, and reading the settings tells them with all that is wrong.
    Which names there are depends on the choices of files, such as data=ucf101 or +experiment=ssv2: the configuration is
    made of these alone, and all other overrides are compared with it, in their order.

    Args:
        arguments: of the command line. Those with `--cfg`, `--help` and the like come back as they are.
        config_name: of the configuration.

    Raises:
        ValueError: a group is given what is no choice of it.
    """
    if arguments != parse_hydra_arguments(arguments).overrides:
        return list(arguments)
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        if not any(text.lstrip("+").startswith("hydra.searchpath=") for text in arguments):  # with further choices
            refuse_choices(arguments, config_name=config_name)
        return _marked(arguments, config_name)


def _marked(arguments: Sequence[str], config_name: str) -> list[str]:
    """`mark_unknown` of overrides alone; Hydra's configuration is open."""
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


def refuse_choices(arguments: Sequence[str], *, config_name: str = "train") -> None:
    """Raise where a group of settings is given something that is no choice of it, such as optim=lion or optim=3.

    Args:
        arguments: of the command line, while Hydra's configuration is open. What can't be parsed is left to Hydra.
        config_name: of the configuration. Those of evaluate and doctor take no task.

    Raises:
        ValueError: a sentence for each, with the closest choice.
    """
    loader = GlobalHydra.instance().config_loader()
    try:
        overrides = OverridesParser.create(config_loader=loader).parse_overrides(list(arguments))
    except HydraException:
        return
    given = {override.key_or_group for override in overrides}
    faults = [WITHOUT_TASK[config_name]] if "task" in given and config_name in WITHOUT_TASK else []
    faults += [fault for override in overrides if (fault := _choice_fault(override, loader))]
    if faults:
        raise ValueError("; ".join(faults))


def _choice_fault(override: Override, loader: ConfigLoader) -> str:
    """What is wrong with a choice; "" = nothing, or it is none of our groups, or has its own folder of files."""
    key, value = override.key_or_group, override.value()
    names = [name for name in loader.get_group_options(key) if not name.startswith("_")]
    is_no_choice = override.is_delete() or override.is_sweep_override() or isinstance(value, dict)
    if not names or key.startswith("hydra") or is_no_choice:
        return ""
    if value is None:
        return f"{key}=null chooses nothing; leave it out, or choose one of its files"
    chosen = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    wrong = [one for one in chosen if one not in names and not loader.get_group_options(f"{key}/{one}")]
    if isinstance(value, str | list | QuotedString) and not wrong:
        return ""
    wrong = wrong or chosen
    close = get_close_matches(wrong[0], names, n=1)
    shown = ", ".join(names[:NUM_SHOWN]) + f", ... ({len(names)} in all)" * (len(names) > NUM_SHOWN)
    way = f"did you mean {close[0]}?" if close else f"choose one of {shown}"
    return f"{key}={wrong[0]} is no choice; {way}"


def with_layout_settings(overrides: Sequence[str], *, config_name: str) -> list[str]:
    """Overrides with a "+" before settings of data layouts, where the configuration itself chooses no layout.

    There, as in evaluate, data.source names the layout, and any of its settings may be given.

    Args:
        overrides: of a job.
        config_name: of the configuration.
    """
    if "data" in _chosen_groups(config_name):
        return list(overrides)
    own = {name for kind in COMMANDS[config_name] for name in setting_names(kind)}
    names = {name for name in known_settings(config_name) - own if name.startswith("data.")}
    return [f"+{text}" if text.partition("=")[0] in names else text for text in overrides]


def unknown_overrides(arguments: Sequence[str], *, config_name: str) -> list[str]:
    """A sentence for each override whose setting the chosen files do not have, see `mark_unknown`.

    Args:
        arguments: overrides of a job, while Hydra's configuration is open.
        config_name: of the configuration.
    """
    marked = _marked(arguments, config_name)
    names = [text.partition("=")[0].lstrip("+") for text, new in zip(arguments, marked, strict=True) if text != new]
    known = known_settings(config_name)
    elsewhere = [
        f"{name} belongs to another choice than these, such as another data=...; leave it out"
        for name in names
        if name in known
    ]
    return [*unknown_faults([name for name in names if name not in known], config_name=config_name), *elsewhere]


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


@cache
def _chosen_groups(config_name: str) -> frozenset[str]:
    """Groups of which the configuration itself chooses a file, such as "model"."""
    entries = OmegaConf.load(Path(CONF_DIR, f"{config_name}.yaml")).defaults
    return frozenset(str(key) for entry in entries if isinstance(entry, DictConfig) for key in entry)


@cache
def known_settings(config_name: str = "train") -> frozenset[str]:
    """The names of all settings of a command, such as "optim.lr"; of all layouts and models where it takes these."""
    names = {name for kind in COMMANDS[config_name] for name in setting_names(kind)}
    if config_name in SWEPT:
        names |= {"sweep", *(f"sweep.{name}" for name in SweepSettings.model_fields)}
    if "data.source" in names:
        names |= {f"data.{name}" for source in LAYOUTS for name in layout_settings(source).model_fields}
    if "head.name" in names:
        names |= {f"head.{name}" for head in HEADS for name in head_options(head)}
    if "model.name" in names:
        names |= {f"model.{name}" for model in list_models() for name in option_defaults(model)}
    return frozenset(names)


def unknown_faults(names: Sequence[str], *, config_name: str = "train") -> list[str]:
    """A sentence for each name that no setting of a command has.

    Args:
        names: such as "optim.lrr".
        config_name: "train", "evaluate" or "doctor".
    """
    known = known_settings(config_name)
    hint = f"python -m stvit_video.{config_name} --cfg job prints all that there are"
    return [f"{name} is no setting; {FOLDER}" if name in FOLDERS else _sentence(name, known, hint) for name in names]


def _sentence(name: str, known: frozenset[str], hint: str) -> str:
    group, _, own = name.rpartition(".")
    beside = {other.rpartition(".")[2].lower(): other for other in known if other.rpartition(".")[0] == group}
    elsewhere = sorted(other for other in known if other.rpartition(".")[2] == own)
    close = [beside[match] for match in get_close_matches(own.lower(), beside, n=1)] or elsewhere
    return f"{name} is no setting; {f'did you mean {close[0]}?' if close else hint}"
