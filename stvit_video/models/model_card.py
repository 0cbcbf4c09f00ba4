"""The model card of an exported classifier: what it was trained on and how, its numbers, limits, how to load it."""

from collections.abc import Mapping
from typing import Any

from stvit_video.models.card_parts import OTHER_DATA, STORED, card_text, measured_rows, recipe_rows

__all__ = ["data_rows", "inputs_word", "limit_rows", "model_card"]

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
protocol; {stored}"""


def model_card(metadata: Values, *, result: Values | None, checkpoint: str, num_parameters: int) -> str:
    """The card as Markdown.

    Args:
        metadata: of the checkpoint, see `stvit_video.models.checkpoints.metadata.checkpoint_metadata`.
        result: result.json of the run; None = this checkpoint was not evaluated.
        checkpoint: "best" or "last".
        num_parameters: values in all parameters.
    """
    name = metadata["model"]["name"]
    return card_text(
        name,
        f"A classifier of {inputs_word(metadata)} into {len(metadata['classes'])} classes, trained with stvit_video "
        f"{metadata['versions']['stvit_video']}. These are the weights of {checkpoint}.ckpt.",
        how_to_load=HOW_TO_LOAD.format(name=name, stored=STORED),
        data=data_rows(metadata),
        recipe=recipe_rows(metadata, unit="clips"),
        numbers=measured_rows(result, num_parameters, cost=_cost(result)),
        limits=limit_rows(metadata),
    )


def inputs_word(metadata: Values) -> str:
    """What a classifier labels, "pictures" or "videos"."""
    return "pictures" if metadata["preprocessing"]["num_frames"] == 1 else "videos"


def data_rows(metadata: Values, *, labels_file: str = "labels.json") -> dict[str, Any]:
    """What a classifier was trained on, and what it is fed with; `labels_file` has the labels in their order."""
    data, sizes = metadata["config"].get("data", {}), metadata["preprocessing"]
    frames = f"{sizes['num_frames']} frames, every {sizes['frame_stride']}. of the video, "
    return {
        "source": data.get("source", "not stated"),
        "labels": f"{'several' if metadata['multi_label'] else 'one'} of {len(metadata['classes'])} a video, see "
        f"{labels_file} for their order",
        "input": f"{frames if sizes['num_frames'] > 1 else ''}short side {sizes['short_side']}, crop "
        f"{sizes['crop_size']} pixels, RGB, mean {sizes['mean']}, standard deviation {sizes['std']}",
        "sampling in training": data.get("sampling"),
    }


def _cost(result: Values | None) -> dict[str, Any]:
    return {} if result is None else {"multiply-adds a view": f"{result['gmacs_per_view']:.3f} G"}


def limit_rows(metadata: Values) -> dict[str, Any]:
    """What a classifier can't do."""
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
        "data": OTHER_DATA,
        "probabilities": "they were not calibrated",
        "tokens": f"trained with {elastic} semantic tokens, drawn a step; `model.set_num_tokens` chooses"
        if elastic
        else None,
        "place of generation": f"trained to generate tokens after {places} blocks, drawn a step; "
        "`model.set_generate_at` chooses"
        if places
        else None,
    }
