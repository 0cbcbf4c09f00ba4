"""What a run was and what it costs, in words: of the values of result.json, whatever the task."""

from collections.abc import Callable, Mapping
from typing import Any

from stvit_video.evaluation.view_average import describe_protocol
from stvit_video.utils.counts import count_words
from stvit_video.utils.durations import in_words

__all__ = ["run_facts"]

Values = Mapping[str, Any]
SHORT_COMMIT = 12


def run_facts(result: Values, *, unit: str) -> list[tuple[str, str | None]]:
    """Names and values of the facts.

    Args:
        result: what result.json holds; what it lacks is no fact.
        unit: what was evaluated, "videos" or "pictures".

    Returns:
        Pairs; None = this run has no such fact.
    """
    return [(name, words({**result, "unit": unit})) for name, words in FACTS.items()]


def _model(result: Values) -> str | None:
    if "head" in result:
        return f"{result['head']} around {result['model']}"
    return result.get("model")


def _tokens(result: Values) -> str | None:
    """How many semantic tokens, and where they are made; None = result.json does not tell."""
    found = next((result[kind]["backbone"]["options"] for kind in ("detector", "segmenter") if kind in result), result)
    if "num_tokens" not in found:
        return None
    count, reducer = found["num_tokens"], found.get("reducer")
    if not count and reducer in (None, "none"):
        return "none, a dense model"
    if not count:  # of detectors and segmenters result.json has what was asked for
        words = "semantic tokens, as many as the model makes by default of a picture of that size"
    else:
        words = count_words(count, "semantic token") if isinstance(count, int) else f"{_times(count)} semantic tokens"
    if found.get("token_grid"):
        words += f" on a grid of {_times(found['token_grid'])}"
    if reducer not in (None, "semantic"):
        words += f", made by {reducer}"
    return words + (f", after {count_words(place, 'block')}" if (place := found.get("generate_at")) is not None else "")


def _data(result: Values) -> str | None:
    for unit in ("videos", "pictures"):
        if f"num_{unit}_used" in result:
            labels = ", several labels each" if result.get("multi_label") else ""
            counts = f"{result[f'num_{unit}_used']} of {result[f'num_{unit}_listed']} {result['unit']}"
            return f"{counts}, {count_words(result['num_classes'], 'class', 'classes')}{labels}"
    return None


def _input(result: Values) -> str | None:
    sizes = result.get("preprocessing")
    if not sizes:
        return None
    if "long_side" in sizes:
        return f"pictures, short side {sizes['short_side']}, long side at most {sizes['long_side']} pixels"
    pixels = f"crops of {sizes['crop_size']} pixels, short side {sizes['short_side']}"
    if sizes["num_frames"] == 1:
        return f"{'pictures' if result['unit'] == 'pictures' else 'single frames'}, {pixels}"
    apart = "" if sizes["frame_stride"] == 1 else f", {sizes['frame_stride']} frames of the video apart"
    return f"clips of {sizes['num_frames']} frames{apart}, {pixels}"


def _protocol(result: Values) -> str | None:
    protocol = result.get("protocol")
    if not protocol:
        return None
    views = describe_protocol(
        num_clips=protocol["num_clips"],
        num_crops=protocol["num_crops"],
        average=protocol["average"],
        short_side=result["preprocessing"]["short_side"],
        multi_label=bool(result.get("multi_label")),
    )
    return f"{protocol['name']}: {views}"


def _work(result: Values) -> str | None:
    is_of_pictures, is_one_view = result["unit"] == "pictures", _num_views(result) == 1
    units = {
        "gmacs_per_view": "{} a clip" if not is_of_pictures else "{} a picture" if is_one_view else "{} a view",
        **({} if is_one_view else {"gmacs_per_video": f"{{}} a {result['unit'].removesuffix('s')}"}),
        "gmacs_detector": "{} a picture",
        "gmacs_segmenter": "{} a picture",
        "gmacs_backbone": "of them {} the backbone",
    }
    found = [words.format(_three_digits(result[key])) for key, words in units.items() if key in result]
    if "picture_size" in result:
        height, width = result["picture_size"]
        found.append(f"at {height} x {width} pixels")
    return ", ".join(found) or None


def _parameters(result: Values) -> str | None:
    return f"{result['num_parameters'] / 1e6:.3g} M" if "num_parameters" in result else None


def _speed(result: Values) -> str | None:
    keys = [key for key in ("inference_clips_per_second", "inference_pictures_per_second") if key in result]
    found = [f"{_three_digits(result[key])} {_inputs(result)}/s in inference" for key in keys]
    if "real_time_factor" in result:
        found.append(f"videos at {_three_digits(result['real_time_factor'])} times real time")
    return ", ".join(found) or None


def _training(result: Values) -> str | None:
    training = result.get("training")
    if not training:
        return None
    speed = training["clips_per_second"]
    words = [f"{count_words(training['epochs'], 'epoch')} in {in_words(training['seconds'])}"]
    if speed == speed:
        words.append(f"{_three_digits(speed)} {_inputs(result)}/s")
    words.append(f"precision {training['precision']}")
    if training["num_skipped"]:
        words.append(f"{count_words(training['num_skipped'], 'file')} could not be read")
    return ", ".join(words)


def _checkpoint(result: Values) -> str | None:
    name = result.get("ckpt_path") or (f"{result['checkpoint']}.ckpt" if "checkpoint" in result else None)
    precision = f", precision {result['precision']}" if "precision" in result else ""
    return name and f"{name}{precision}"


def _labelled_time(result: Values) -> str | None:
    """Of an evaluation of whole recordings: what counts, and what a model would reach that always says one class."""
    if "majority_class" not in result:
        return None
    words = f"{count_words(result['num_steps'], 'step')} in {in_words(result['labelled_seconds'])} of labelled time"
    majority = result["majority_class"]
    if majority["frame_accuracy"] is None:
        return words
    return f"{words}; always saying {majority['label']} gives a frame accuracy of {majority['frame_accuracy']:.3f}"


def _measured(result: Values) -> str | None:
    if "hardware" not in result:
        return None
    commit = result.get("commit")
    hardware = result["hardware"]
    hardware = hardware.removesuffix("s") if hardware.endswith(", 1 threads") else hardware
    words = [hardware, result["date"].replace("T", " ").replace("+00:00", " UTC")]
    if commit:
        number, _, changes = commit.partition("+")
        words.append(f"commit {number[:SHORT_COMMIT]}{' with changes' if changes else ''}")
    return ", ".join([*words, *(f"{name} {version}" for name, version in result.get("versions", {}).items())])


def _inputs(result: Values) -> str:
    """What a model takes at once."""
    return "pictures" if result["unit"] == "pictures" else "clips"


def _num_views(result: Values) -> int:
    protocol = result.get("protocol") or {}
    return int(protocol.get("num_clips", 1) * protocol.get("num_crops", 1))


def _three_digits(value: float) -> str:
    """Three digits, or all before the point: "0.0268", "46.2", "1,240"."""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def _times(sizes: Any) -> str:
    return " x ".join(map(str, sizes))


FACTS: Mapping[str, Callable[[Values], str | None]] = {
    "Model": _model,
    "Tokens": _tokens,
    "Parameters": _parameters,
    "GMACs": _work,
    "Speed": _speed,
    "Training": _training,
    "Checkpoint": _checkpoint,
    "Evaluated on": _data,
    "Counted": _labelled_time,
    "Input": _input,
    "Protocol": _protocol,
    "Measured with": _measured,
}
