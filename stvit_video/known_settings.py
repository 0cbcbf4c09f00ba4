"""Settings that no configuration file knows: Hydra takes `+optim.lrr=1` without a word, and nothing would read it."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from stvit_video.build import CONF_DIR

Settings = Mapping[str, Any]
GROUPS = ("data", "optim", "augment", "trainer", "sweep")  # model is create_model's to check


def unknown_faults(settings: Settings) -> list[str]:
    """A sentence for each setting that no file of the configuration has.

    Args:
        settings: the resolved training configuration as plain values.
    """
    known = known_settings()
    given = [key for key in settings if key != "model"]
    groups = [key for key in given if key in known and isinstance(settings[key], dict)]
    nested = [f"{group}.{key}" for group in groups for key in settings[group]]
    return [_sentence(name, known) for name in (*given, *nested) if name not in known]


@cache
def known_settings() -> frozenset[str]:
    """The names of all settings but the model's, such as "optim.lr"."""
    own = _read(Path(CONF_DIR, "train.yaml"))
    names = {*own, *(f"{group}.{key}" for group, values in own.items() if isinstance(values, dict) for key in values)}
    for group in GROUPS:
        files = Path(CONF_DIR, group).glob("*.yaml")
        names |= {group, *(f"{group}.{key}" for path in files for key in _read(path))}
    return frozenset(names)


def _read(path: Path) -> dict[str, Any]:
    content: Any = OmegaConf.to_container(OmegaConf.load(path))
    return {str(key): value for key, value in (content or {}).items() if key not in ("defaults", "hydra")}


def _sentence(name: str, known: frozenset[str]) -> str:
    group, dot, own = name.rpartition(".")
    beside = [other.rpartition(".")[2] for other in known if other.rpartition(".")[0] == group]
    close = get_close_matches(own, beside, n=1)
    hint = (
        f"did you mean {group}{dot}{close[0]}?"
        if close
        else "python -m stvit_video.train --cfg job prints all that there are"
    )
    return f"{name} is no setting; {hint}"
