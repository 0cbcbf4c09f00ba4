"""What the model cards of all tasks have in common: their order, the recipe, and what numbers were measured with."""

from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["OTHER_DATA", "STORED", "card_text", "measured_rows", "recipe_rows"]

Values = Mapping[str, Any]
Rows = Mapping[str, Any]  # name -> value; one that is None is left out
STORED = "`config.yaml` is the whole configuration of the training. Nothing here is pickled."
OTHER_DATA = "the accuracy is that of the data above; other cameras, frame rates, places and people were not tried"


def card_text(
    title: str, summary: str, *, how_to_load: str, data: Rows, recipe: Rows, numbers: Rows, limits: Rows
) -> str:
    """A card as Markdown.

    Args:
        title: what the model is called.
        summary: what it does, what trained it, and whose weights these are.
        how_to_load: Markdown.
        data: what it was trained on.
        recipe: how.
        numbers: what was measured.
        limits: what it can't do, or was not tried.
    """
    parts = [f"# {title}", summary, "## How to load it", how_to_load]
    for heading, rows in (("Data", data), ("Recipe", recipe), ("Numbers", numbers), ("Limits", limits)):
        parts += [f"## {heading}", _list(rows)]
    return "\n\n".join(parts) + "\n"


def recipe_rows(metadata: Values, *, unit: str, unused: Collection[str] = ()) -> dict[str, Any]:
    """How the model of a checkpoint was trained.

    Args:
        metadata: of the checkpoint.
        unit: what a batch has several of, such as "clips".
        unused: settings that the task does not have, such as "optim.label_smoothing".
    """
    config = metadata["config"]
    groups = {group: config.get(group) for group in ("optim", "augment")}
    used = {
        group: {name: value for name, value in (chosen or {}).items() if f"{group}.{name}" not in unused}
        for group, chosen in groups.items()
    }
    words = {group: _settings(chosen) for group, chosen in used.items() if chosen}
    return {
        "model": ", ".join(f"{key}={value}" for key, value in metadata["model"]["options"].items()),
        "started from": file_name(config["init_from"]) if config.get("init_from") else None,
        "epochs": config.get("trainer", {}).get("max_epochs"),
        f"{unit} of a batch in each process": config.get("data", {}).get("batch_size"),
        f"sizes of the {unit} in pixels": _sizes(config.get("data", {})),
        "taught by": _teacher(config.get("distill", {})),
        "precision": config.get("trainer", {}).get("precision"),
        "batches of a step": config.get("trainer", {}).get("accumulate_grad_batches"),
        "optimizer": words.get("optim"),
        "augmentation": words.get("augment"),
        "seed": config.get("seed"),
    }


def measured_rows(result: Values | None, num_parameters: int, *, cost: Rows) -> dict[str, Any]:
    """What was measured, and with what.

    Args:
        result: result.json of the run; None = this checkpoint was not evaluated.
        num_parameters: values in all parameters.
        cost: further numbers of the result.
    """
    parameters = {"parameters": f"{num_parameters / 1e6:.2f} M"}
    if result is None:
        return {**parameters, "accuracy": "not measured by the training; run stvit_video.evaluate"}
    return {
        "result": result["result"],
        **parameters,
        **cost,
        "measured with": f"commit {result['commit'] or 'unknown'}, torch {result['versions']['torch']}, "
        f"{result['hardware']}, {result['date']}",
        "trained": f"{result['training']['seconds']:.0f} s, {result['training']['epochs']} epochs",
    }


def file_name(path: str) -> str:
    """The last part of a path of any system, so that a card tells no folders."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _list(rows: Rows) -> str:
    return "\n".join(f"* {name}: {value}" for name, value in rows.items() if value is not None)


def _settings(chosen: Values) -> str:
    return ", ".join(f"{key}={value}" for key, value in chosen.items() if value is not None)


def _sizes(data: Values) -> str | None:
    """The sizes of multi-scale training; None = always the one of the input."""
    sizes = data.get("multi_scale")
    return sizes and f"{', '.join(map(str, sizes))}, batch {data['multi_scale_batch']}"


def _teacher(distill: Values) -> str | None:
    """Of a distillation; None where the labels alone taught."""
    if not distill.get("teacher"):
        return None
    name = file_name(distill["teacher"])
    return f"{name}, weight {distill['weight']}, temperature {distill['temperature']}, {distill['kind']}"
