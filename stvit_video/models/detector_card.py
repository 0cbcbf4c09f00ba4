"""The model card of an exported detector: what it was trained on and how, its numbers, limits, how to load it."""

from collections.abc import Collection, Mapping
from typing import Any

from stvit_video.models.card_parts import OTHER_DATA, STORED, card_text, measured_rows, recipe_rows
from stvit_video.models.dense_card_parts import head_row, of_any_size, picture_cost_rows, picture_data_rows

__all__ = ["detector_card"]

Values = Mapping[str, Any]
FOUND = {"detection": "boxes", "instance": "boxes and masks"}  # what a task answers
HOW_TO_LOAD = """```
python -m stvit_video.predict ckpt_path=FOLDER photo.jpg street.mp4 out=seen
python -m stvit_video.evaluate ckpt_path=FOLDER data.source=coco data.root=/path/to/pictures
```

```python
import stvit_video

detector = stvit_video.load("FOLDER")
found = detector("photo.jpg")  # boxes, scores, labels; detector.classes has their names
```

`model.safetensors` holds the weights and, in its header as JSON, backbone, head, class names and the sizes of pictures;
{stored}"""


def detector_card(
    metadata: Values, *, result: Values | None, checkpoint: str, num_parameters: int, unused: Collection[str] = ()
) -> str:
    """The card as Markdown.

    Args:
        metadata: of the checkpoint, see `stvit_video.models.checkpoints.metadata.detector_metadata`.
        result: result.json of the run; None = this checkpoint was not evaluated.
        checkpoint: "best" or "last".
        num_parameters: values in all parameters.
        unused: settings that detectors do not have, see `recipe_rows`.
    """
    metadata = of_any_size(metadata)
    return card_text(
        f"{metadata['head']} with {metadata['model']['name']}",
        f"A detector of {len(metadata['classes'])} classes of objects in pictures and videos, which finds "
        f"{FOUND[metadata['task']]}, trained with stvit_video {metadata['versions']['stvit_video']}. "
        f"These are the weights of {checkpoint}.ckpt.",
        how_to_load=HOW_TO_LOAD.format(stored=STORED),
        data=picture_data_rows(metadata),
        recipe={**recipe_rows(metadata, unit="pictures", unused=unused), "head": head_row(metadata)},
        numbers=measured_rows(result, num_parameters, cost=picture_cost_rows(result, whole="gmacs_detector")),
        limits=_limits(metadata),
    )


def _limits(metadata: Values) -> dict[str, Any]:
    return {
        "classes": "it finds objects of the classes above only, and may take others for them",
        "data": OTHER_DATA,
        "scores": "they were not calibrated",
        "videos": "each frame is looked at by itself; objects are not followed",
    }
