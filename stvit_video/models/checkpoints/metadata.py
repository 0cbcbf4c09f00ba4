"""What our checkpoints say beside their weights: plain values, checked when read, compared when resumed."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from stvit_video import __version__
from stvit_video.models.checkpoints.grids import PositionGrid
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.registry import all_options
from stvit_video.utils.label_text import same_labels

METADATA_KEY = "stvit_video"
FORMAT_VERSION = 1
NEEDED: dict[str, type] = {
    "model.name": str,
    "model.options": dict,
    "classes": list,
    "preprocessing": dict,
    "config": dict,
}
OF_HEAD: dict[str, type] = {"head": str, "head_rule": str, "head_options": dict}
OF_DETECTOR: dict[str, type] = {**OF_HEAD, "category_ids": list}
NEEDED_BY_TASK: dict[str, dict[str, type]] = {
    "classification": {"protocol.num_clips": int, "protocol.num_crops": int, "protocol.average": str},
    "detection": OF_DETECTOR,
    "instance": OF_DETECTOR,
    "semantic": OF_HEAD,
}


def checkpoint_metadata(
    *,
    model_name: str,
    model_options: Mapping[str, Any],
    classes: tuple[str, ...],
    preprocessing: Mapping[str, Any],
    protocol: Mapping[str, Any],
    config: Mapping[str, Any],
    position_grid: PositionGrid | None,
    multi_label: bool = False,
    held_back: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The plain values that make a checkpoint self-contained; they load with `weights_only=True`.

    Args:
        model_name: name for `create_model`.
        model_options: options for `create_model`.
        classes: label names, in the order of the logits.
        preprocessing: frames, sizes, mean and deviation, see `stvit_video.data.transforms.preprocessing.Preprocessing`.
        protocol: num_clips, num_crops, average.
        config: the resolved configuration of the run.
        position_grid: what the rows of the model's position table stand for, see `position_grid` of
            `stvit_video.models.checkpoints.grids`; None = the model has no such table.
        multi_label: True = a video can have several labels, so each logit has a probability of its own (sigmoid).
        held_back: names of the validation videos, where the training divided a folder itself; None = it did not.
    """
    return {
        **shared_metadata(
            task="classification",
            model_name=model_name,
            model_options=model_options,
            classes=classes,
            preprocessing=preprocessing,
            config=config,
        ),
        "multi_label": multi_label,
        "held_back": None if held_back is None else list(held_back),
        "protocol": dict(protocol),
        "position_grid": position_grid
        and {"sizes": list(position_grid.sizes), "num_class_tokens": position_grid.num_class_tokens},
    }


def shared_metadata(
    *,
    task: str,
    model_name: str,
    model_options: Mapping[str, Any],
    classes: Sequence[str],
    preprocessing: Mapping[str, Any],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """What the checkpoints of every task say; see `checkpoint_metadata`.

    Args:
        task: one of NEEDED_BY_TASK.
        model_name: name for `create_model`; of a detector or segmenter that of its backbone.
        model_options: options for it.
        classes: names, in the order of the labels.
        preprocessing: what the model is fed with.
        config: the resolved configuration of the run.
    """
    return {
        "format": FORMAT_VERSION,
        "task": task,
        "model": {"name": model_name, "options": dict(model_options)},
        "classes": list(classes),
        "preprocessing": dict(preprocessing),
        "config": dict(config),
        "versions": {"stvit_video": __version__, "torch": str(torch.__version__)},
    }


def detector_metadata(
    *,
    task: str,
    description: Mapping[str, Any],
    classes: Sequence[str],
    category_ids: Sequence[int | str],
    preprocessing: Mapping[str, Any],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """What the checkpoint of a detector says, as plain values.

    Args:
        task: "detection" or "instance".
        description: of `Detector.describe`.
        classes: names, in the order of the labels.
        category_ids: of the classes, as the file of annotations has them.
        preprocessing: sizes and normalisation of pictures.
        config: the resolved configuration of the run.
    """
    return {
        **_dense_metadata(task, description, classes=classes, preprocessing=preprocessing, config=config),
        "category_ids": list(category_ids),
    }


def segmenter_metadata(
    *,
    description: Mapping[str, Any],
    classes: Sequence[str],
    preprocessing: Mapping[str, Any],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """What the checkpoint of a segmenter, task=semantic, says, as plain values.

    Args:
        description: of `Segmenter.describe`.
        classes: names, in the order of the labels.
        preprocessing: sizes and normalisation of pictures.
        config: the resolved configuration of the run.
    """
    return _dense_metadata("semantic", description, classes=classes, preprocessing=preprocessing, config=config)


def _dense_metadata(task: str, description: Mapping[str, Any], **shared: Any) -> dict[str, Any]:
    """What the checkpoints of all heads say; `shared` goes to `shared_metadata`."""
    backbone = description["backbone"]
    return {
        **shared_metadata(task=task, model_name=backbone["name"], model_options=backbone["options"], **shared),
        "head": description["head"],
        "head_rule": description["head_rule"],
        "head_options": dict(description["options"]),
    }


def dense_description(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse: of the metadata of a detector or segmenter what `build_described` takes."""
    return {
        "head": metadata["head"],
        "head_rule": metadata["head_rule"],
        "backbone": dict(metadata["model"]),
        "num_classes": len(metadata["classes"]),
        "options": dict(metadata["head_options"]),
    }


def task_in(metadata: object) -> str:
    """The task that metadata name; classification where they name none."""
    return str(metadata.get("task", "classification")) if isinstance(metadata, dict) else "classification"


def check_metadata(metadata: object, *, source: str, tasks: Sequence[str] = ("classification",)) -> dict[str, Any]:
    """The metadata of a checkpoint, once it holds all that the functions above write for its task.

    Those of before there was `multi_label` are of one label a video; those without `held_back` divided no folder.

    Args:
        metadata: the checkpoint's entry METADATA_KEY, or None.
        source: the checkpoint, as the message should call it.
        tasks: of which the checkpoint may be.

    Raises:
        CheckpointError: no metadata of our format, of another task, or a part is missing or of another type.
    """
    found = metadata.get("format") if isinstance(metadata, dict) else None
    if isinstance(metadata, dict) and isinstance(found, int) and found > FORMAT_VERSION:
        raise CheckpointError(
            f"{source} is of format {found}, written by stvit_video {written_by(metadata)}, and stvit_video "
            f"{__version__} reads format {FORMAT_VERSION}; install a newer stvit_video"
        )
    if not isinstance(metadata, dict) or found != FORMAT_VERSION:
        raise CheckpointError(
            f"{source} does not say which model it holds (no {METADATA_KEY!r} entry of format {FORMAT_VERSION}); give "
            f"a file that stvit_video.train wrote; weights alone can start a training "
            f"(python -m stvit_video.train init_from=...), or in Python go into a model by "
            f"load_checkpoint(create_model(name), path)"
        )
    task = task_in(metadata)
    if task not in tasks:
        raise CheckpointError(
            f"{source} is of task={task}, and here a checkpoint of task={' or '.join(tasks)} is needed; "
            f"python -m stvit_video.evaluate and predict take every kind"
        )
    needed = NEEDED | NEEDED_BY_TASK[task]
    faults = [
        f"{key} (no {kind.__name__})" for key, kind in needed.items() if not isinstance(_get(metadata, key), kind)
    ]
    if not isinstance(metadata.get("multi_label", False), bool):
        faults.append("multi_label (no bool)")
    if not _is_grid(metadata.get("position_grid")):
        faults.append("position_grid (no sizes and num_class_tokens)")
    held_back = metadata.get("held_back")
    if held_back is not None and not (isinstance(held_back, list) and all(isinstance(one, str) for one in held_back)):
        faults.append("held_back (no list of names)")
    if not faults and not all(isinstance(name, str) for name in metadata["classes"]):
        faults = ["classes (no list of names)"]
    if faults:
        raise CheckpointError(
            f"{source} lacks parts of its {METADATA_KEY!r} entry: {', '.join(faults)}; "
            f"give a file as stvit_video.train wrote it"
        )
    return {"task": task, "multi_label": False, "held_back": None, **metadata}


def _is_grid(stored: object) -> bool:
    """Whether `stored` is None or a position grid as `checkpoint_metadata` writes it."""
    if stored is None:
        return True
    if not isinstance(stored, dict) or set(stored) != {"sizes", "num_class_tokens"}:
        return False
    sizes, number = stored["sizes"], stored["num_class_tokens"]
    return isinstance(number, int) and isinstance(sizes, list) and all(isinstance(size, int) for size in sizes)


def _get(metadata: Mapping[str, Any], dotted: str) -> object:
    """The value under a key such as "model.name"; None where there is none."""
    value: Any = metadata
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def written_by(metadata: Mapping[str, Any]) -> str:
    """The version of ours that wrote a checkpoint, for messages."""
    return str(_get(metadata, "versions.stvit_video") or "an unknown version")


def check_resume(metadata_then: object, metadata_now: Mapping[str, Any]) -> None:
    """Raise unless a training can go on from a checkpoint: same kind of labels, classes, model and preprocessing.

    Args:
        metadata_then: the checkpoint's metadata, `content.get(METADATA_KEY)`.
        metadata_now: the run's, from `checkpoint_metadata`.

    Raises:
        CheckpointError: the checkpoint has no metadata of ours, or the first difference.
    """
    then = check_metadata(metadata_then, source="the checkpoint", tasks=(task_in(metadata_now),))
    difference = (
        _kind_difference(then["multi_label"], metadata_now.get("multi_label", False))
        or _difference("head", then.get("head"), metadata_now.get("head"))
        or _difference("head_rule", then.get("head_rule"), metadata_now.get("head_rule"))
        or _dict_difference("the head option", *(one.get("head_options", {}) for one in (then, metadata_now)))
        or _class_difference(list(then["classes"]), list(metadata_now["classes"]))
        or _difference("model", then["model"]["name"], metadata_now["model"]["name"])
        or _dict_difference("the model option", *(_all_options(one["model"]) for one in (then, metadata_now)))
        or _dict_difference("the preprocessing", then["preprocessing"], metadata_now["preprocessing"])
        or _split_difference(then["held_back"], metadata_now.get("held_back"))
    )
    if difference:
        raise CheckpointError(
            f"training can't go on from this checkpoint: {difference}; resume with the settings it was trained with, "
            f"or to start from its weights use init_from=... instead of ckpt_path"
        )


def _all_options(model: Mapping[str, Any]) -> dict[str, Any]:
    return all_options(model["name"], model["options"])


def _kind_difference(then: bool, now: bool) -> str:
    counts = {False: "one label a video", True: "several labels a video"}
    return "" if then == now else f"the checkpoint is for {counts[then]}, this training for {counts[now]}"


def _difference(what: str, then: object, now: object) -> str:
    return "" if _plain(then) == _plain(now) else f"the checkpoint has {what} {then!r}, this training {now!r}"


def _dict_difference(what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    for key in [*then, *(key for key in now if key not in then)]:
        if key not in then:
            return f"this training has {what} {key}={now[key]!r}, the checkpoint has none"
        if key not in now:
            return f"the checkpoint has {what} {key}={then[key]!r}, this training has none"
        if _plain(then[key]) != _plain(now[key]):
            return f"the checkpoint has {what} {key}={then[key]!r}, this training {key}={now[key]!r}"
    return ""


def _class_difference(then: list[str], now: list[str]) -> str:
    """The classes from their first difference on, and how many there are; another form of a text is no difference."""
    if same_labels(then, now):
        return ""
    shared = min(len(then), len(now))
    start = next((i for i in range(shared) if not same_labels(then[i : i + 1], now[i : i + 1])), shared)
    return (
        f"the checkpoint has classes {_excerpt(then, start)} ({len(then)}), "
        f"this training {_excerpt(now, start)} ({len(now)})"
    )


def _excerpt(items: list[str], start: int, limit: int = 3) -> str:
    shown = [repr(item) for item in items[start : start + limit]]
    return f"[{', '.join(['...'] * (start > 0) + shown + ['...'] * (start + limit < len(items)))}]"


def _plain(value: Any) -> Any:
    """Tuples as lists, at every depth: a checkpoint may hold either for the same setting."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _split_difference(then: Sequence[str] | None, now: Sequence[str] | None) -> str:
    """Differences between the videos that were held back and those that are, as videos must not change parts."""
    if then == now:
        return ""
    if then is None or now is None:
        return "it divided no folder itself" if then is None else "its validation videos were held back from one folder"
    others = sorted(set(then) ^ set(now))
    return (
        f"it held back {len(then)} validation videos and this training {len(now)}, of which {len(others)} are not the "
        f"same{f', such as {others[0]}' if others else ' in order'} (split.csv, beside the checkpoint, keeps them)"
    )
