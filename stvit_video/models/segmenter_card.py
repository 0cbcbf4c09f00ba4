"""The model card of an exported segmenter: what it was trained on and how, its numbers, limits, how to load it."""

from collections.abc import Collection, Mapping
from typing import Any

from stvit_video.models.card_parts import OTHER_DATA, STORED, card_text, measured_rows, recipe_rows
from stvit_video.models.dense_card_parts import head_row, of_any_size, picture_cost_rows, picture_data_rows

__all__ = ["segmenter_card"]

Values = Mapping[str, Any]
HOW_TO_LOAD = """```
python -m stvit_video.predict ckpt_path=FOLDER photo.jpg street.mp4 out=seen
python -m stvit_video.evaluate ckpt_path=FOLDER data.source=ade data.root=/path/to/pictures
```

```python
import stvit_video

segmenter = stvit_video.load("FOLDER")
found = segmenter("photo.jpg")  # labels and scores of every pixel; segmenter.classes has the names of the labels
```

`model.safetensors` holds the weights and, in its header as JSON, backbone, head, class names and the sizes of pictures;
{stored}"""


def segmenter_card(
    metadata: Values, *, result: Values | None, checkpoint: str, num_parameters: int, unused: Collection[str] = ()
) -> str:
    """The card as Markdown.

    Args:
        metadata: of the checkpoint, see `stvit_video.models.checkpoints.metadata.segmenter_metadata`.
        result: result.json of the run; None = this checkpoint was not evaluated.
        checkpoint: "best" or "last".
        num_parameters: values in all parameters.
        unused: settings that segmenters do not have, see `recipe_rows`.
    """
    metadata = of_any_size(metadata)
    return card_text(
        f"{metadata['head']} with {metadata['model']['name']}",
        f"A segmenter of {len(metadata['classes'])} classes, one of them for each pixel of pictures and videos, "
        f"trained with stvit_video {metadata['versions']['stvit_video']}. These are the weights of {checkpoint}.ckpt.",
        how_to_load=HOW_TO_LOAD.format(stored=STORED),
        data=_data(metadata),
        recipe={**recipe_rows(metadata, unit="pictures", unused=unused), "head": head_row(metadata)},
        numbers=measured_rows(result, num_parameters, cost=picture_cost_rows(result, whole="gmacs_segmenter")),
        limits=_limits(metadata),
    )


def _data(metadata: Values) -> dict[str, Any]:
    data = metadata["config"].get("data", {})
    return {
        **picture_data_rows(metadata),
        "label 0 of the files": "not counted" if data.get("reduce_zero_label") else None,
        "sides in a test": f"multiples of {metadata['preprocessing']['divisor']} pixels",
    }


def _limits(metadata: Values) -> dict[str, Any]:
    return {
        "classes": "every pixel gets one of the classes above, also one that shows something else",
        "data": OTHER_DATA,
        "scores": "they were not calibrated",
        "videos": "each frame is looked at by itself; the labels of a pixel can change from frame to frame",
    }
