"""card.md of a bundle: the model card of what was exported, and what is known of its graph."""

from collections.abc import Mapping
from typing import Any

from stvit_video.bundles.bundle_description import LABELS
from stvit_video.exporting.bundle_speed import speed_lines
from stvit_video.exporting.parity import Parity
from stvit_video.models.card_parts import card_text, measured_rows, recipe_rows
from stvit_video.models.model_card import data_rows, inputs_word, limit_rows
from stvit_video.utils.processor import cpu_flag_words

HOW_TO_LOAD = """```
python -m stvit_video.predict bundle=FOLDER video.mp4
```

```python
import stvit_video

recognizer = stvit_video.load("FOLDER")
print(recognizer("video.mp4"))
```

`{graphs}` takes{input} clips of bytes, RGB, and gives logits in the order of `labels.txt`. Mean and standard deviation
are applied in it; `preprocessing.json` says how frames are chosen, resized and cropped. `golden.npz` holds an input
with PyTorch's answer, against which the graph is held before it is used."""

Values = Mapping[str, Any]


def bundle_card(
    metadata: Values,
    description: Values,
    *,
    parity: Parity,
    speed: Values | None,
    result: Values | None,
    num_parameters: int,
    megabytes: float,
) -> str:
    """The card as Markdown.

    Args:
        metadata: of the checkpoint, see `stvit_video.models.checkpoints.metadata.checkpoint_metadata`; "preprocessing"
            is that of the bundle.
        description: what bundle.json holds, without the digests.
        parity: of the graph.
        speed: as `measure_bundle_speed` gives it; None = not measured.
        result: result.json of the run, if it is about these weights and settings; else None.
        num_parameters: values in all parameters.
        megabytes: of the graphs.
    """
    name = metadata["model"]["name"]
    format, precision = description["format"], description["precision"]
    graph = f"{format} in {precision}, {megabytes:.1f} MB, written by {_versions(description['versions'])}"
    return card_text(
        f"{name} for {format}",
        f"A classifier of {inputs_word(metadata)} into {len(metadata['classes'])} classes, trained with stvit_video "
        f"{metadata['versions']['stvit_video']} and exported as a graph.",
        how_to_load=HOW_TO_LOAD.format(
            graphs="`, `".join(description["graphs"].values()),
            input=f" (B, {', '.join(map(str, description['input'][1:]))})",
        ),
        data=data_rows(metadata, labels_file=LABELS),
        recipe=recipe_rows(metadata, unit="clips"),
        numbers={
            **measured_rows(result, num_parameters, cost={}),
            "graph": graph,
            "difference": parity.words(),
            **({} if speed is None else _speed_rows(speed)),
        },
        limits={**limit_rows(metadata), **_token_rows(description), "sizes": _sizes(description)},
    )


def _versions(versions: Values) -> str:
    return ", ".join(f"{library} {version}" for library, version in versions.items())


def _speed_rows(speed: Values) -> dict[str, str]:
    flags = cpu_flag_words(speed["cpu_flags"])
    return {
        **{f"speed of a clip, {line.partition(': ')[0]}": line.partition(": ")[2] for line in speed_lines(speed)},
        "speed measured with": f"commit {speed['commit'] or 'unknown'}, {speed['hardware']}, {speed['num_cores']} cores"
        f"{flags and f', {flags}'}, {speed['date']}",
    }


def _token_rows(description: Values) -> dict[str, str | None]:
    """In place of what a checkpoint may still choose: the graph has one number of tokens, and one place."""
    tokens, place = description["num_tokens"], description["generate_at"]
    grid = "x".join(map(str, tokens)) if isinstance(tokens, list) else tokens
    return {
        "tokens": tokens and f"the graph makes {grid} semantic tokens; another number is another export",
        "place of generation": place and f"after {place} blocks; another place is another export",
    }


def _sizes(description: Values) -> str:
    return f"the batch is free; {' x '.join(map(str, description['input'][1:]))} of a clip is fixed"
