"""The model card of an exported run: what it was trained on and how, its numbers, limits, and how to load it."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]
HOW_TO_LOAD = """```
python -m stvit_video.predict ckpt_path=FOLDER video.mp4
python -m stvit_video.evaluate ckpt_path=FOLDER data.source=csv data.val=my_list.csv
```

```python
from stvit_video.models import create_model

model = create_model("{name}", pretrained="FOLDER").eval()
```

`model.safetensors` holds the weights and, in its header as JSON, model options, labels, preprocessing and test
protocol; `config.yaml` is the whole configuration of the training. Nothing here is pickled."""


def model_card(metadata: Values, *, result: Values | None, checkpoint: str, num_parameters: int) -> str:
    """The card as Markdown.

    Args:
        metadata: of the checkpoint, see `stvit_video.models.checkpoints.metadata.checkpoint_metadata`.
        result: result.json of the run; None = this checkpoint was not evaluated.
        checkpoint: "best" or "last".
        num_parameters: values in all parameters.
    """
    name = metadata["model"]["name"]
    parts = [
        f"# {name}",
        f"A classifier of {_inputs(metadata)} into {len(metadata['classes'])} classes, trained with stvit_video "
        f"{metadata['versions']['stvit_video']}. These are the weights of {checkpoint}.ckpt.",
        "## How to load it",
        HOW_TO_LOAD.replace("{name}", name),
        "## Data",
        _list(_data(metadata)),
        "## Recipe",
        _list(_recipe(metadata)),
        "## Numbers",
        _list(_numbers(result, num_parameters)),
        "## Limits",
        _list(_limits(metadata)),
    ]
    return "\n\n".join(parts) + "\n"


def _list(rows: Mapping[str, Any]) -> str:
    return "\n".join(f"* {name}: {value}" for name, value in rows.items() if value is not None)


def _inputs(metadata: Values) -> str:
    return "pictures" if metadata["preprocessing"]["num_frames"] == 1 else "videos"


def _data(metadata: Values) -> dict[str, Any]:
    data, sizes = metadata["config"].get("data", {}), metadata["preprocessing"]
    frames = f"{sizes['num_frames']} frames, every {sizes['frame_stride']}. of the video, "
    return {
        "source": data.get("source", "not stated"),
        "labels": f"{'several' if metadata['multi_label'] else 'one'} of {len(metadata['classes'])} a video, see "
        "labels.json for their order",
        "input": f"{frames if sizes['num_frames'] > 1 else ''}short side {sizes['short_side']}, crop "
        f"{sizes['crop_size']} pixels, RGB, mean {sizes['mean']}, standard deviation {sizes['std']}",
        "sampling in training": data.get("sampling"),
    }


def _recipe(metadata: Values) -> dict[str, Any]:
    config = metadata["config"]
    options = ", ".join(f"{key}={value}" for key, value in metadata["model"]["options"].items())
    groups = {group: config.get(group) for group in ("optim", "augment")}
    words = {
        group: ", ".join(f"{key}={value}" for key, value in chosen.items() if value is not None)
        for group, chosen in groups.items()
        if chosen
    }
    return {
        "model": options,
        "started from": config["init_from"].replace("\\", "/").rsplit("/", 1)[-1] if config.get("init_from") else None,
        "epochs": config.get("trainer", {}).get("max_epochs"),
        "clips of a batch in each process": config.get("data", {}).get("batch_size"),
        "sizes of the clips in pixels": _sizes(config.get("data", {})),
        "taught by": _teacher(config.get("distill", {})),
        "precision": config.get("trainer", {}).get("precision"),
        "batches of a step": config.get("trainer", {}).get("accumulate_grad_batches"),
        "optimizer": words.get("optim"),
        "augmentation": words.get("augment"),
        "seed": config.get("seed"),
    }


def _sizes(data: Values) -> str | None:
    """The sizes of multi-scale training; None = always the one of the input."""
    sizes = data.get("multi_scale")
    return sizes and f"{', '.join(map(str, sizes))}, batch {data['multi_scale_batch']}"


def _teacher(distill: Values) -> str | None:
    """Of a distillation; None where the labels alone taught."""
    if not distill.get("teacher"):
        return None
    name = distill["teacher"].replace("\\", "/").rsplit("/", 1)[-1]
    return f"{name}, weight {distill['weight']}, temperature {distill['temperature']}, {distill['kind']}"


def _numbers(result: Values | None, num_parameters: int) -> dict[str, Any]:
    parameters = {"parameters": f"{num_parameters / 1e6:.2f} M"}
    if result is None:
        return {**parameters, "accuracy": "not measured by the training; run stvit_video.evaluate"}
    return {
        "result": result["result"],
        **parameters,
        "multiply-adds a view": f"{result['gmacs_per_view']:.3f} G",
        "measured with": f"commit {result['commit'] or 'unknown'}, torch {result['versions']['torch']}, "
        f"{result['hardware']}, {result['date']}",
        "trained": f"{result['training']['seconds']:.0f} s, {result['training']['epochs']} epochs",
    }


def _limits(metadata: Values) -> dict[str, Any]:
    options = metadata["model"]["options"]
    elastic, places = options.get("elastic"), options.get("elastic_generate_at")
    several = metadata["multi_label"]
    return {
        "classes": "it knows the labels above only, and "
        + (
            "gives each a probability by itself, which is no rate of being right"
            if several
            else "names one of them for every input, also for one that shows none of them"
        ),
        "data": "the accuracy is that of the data above; other cameras, frame rates, places and people were not tried",
        "probabilities": "they were not calibrated",
        "tokens": f"trained with {elastic} semantic tokens, drawn a step; `model.set_num_tokens` chooses"
        if elastic
        else None,
        "place of generation": f"trained to generate tokens after {places} blocks, drawn a step; "
        "`model.set_generate_at` chooses"
        if places
        else None,
    }
