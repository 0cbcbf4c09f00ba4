"""The config group `model`: one node for each named model, which Hydra finds beside the files of conf/model."""

from typing import Any

from hydra.core.config_store import ConfigStore

from stvit_video.models.registry import list_models

GROUP = "model"


def model_node(name: str) -> dict[str, Any]:
    """The configuration of a named model: options of its family, of the semantic tokens where it has some, its name.

    Args:
        name: one of `list_models()`.

    Returns:
        A defaults list over the files conf/model/_<family>.yaml, and `name`.
    """
    backbone = name.removeprefix("stvit_").removeprefix("r_")
    family, _, _ = backbone.rpartition("_")
    tokens = ["_tokens"] if name.startswith("stvit_") else []
    return {"defaults": [f"_{family}", *tokens, "_self_"], "name": name}


def register_models() -> None:
    """Make `model=<name>` known to Hydra in this process, for each of `list_models()`."""
    for name in list_models():
        ConfigStore.instance().store(group=GROUP, name=name, node=model_node(name), provider="stvit_video")
