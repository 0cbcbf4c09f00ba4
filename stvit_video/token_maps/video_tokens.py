"""The tokens of a video: what each has seen, and what it says for a label."""

import os
from collections.abc import Sequence
from difflib import get_close_matches
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.evaluation.cost.measure import count_gmacs, in_eval_mode, measure_throughput
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.cost import clip_size
from stvit_video.inference.file_record import file_record
from stvit_video.inference.model_input import ModelInput, model_input
from stvit_video.inference.recognizer import Recognizer
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD
from stvit_video.layers.numbers import whole_number
from stvit_video.models.base import TokenModel
from stvit_video.token_maps.attribution import contributions, occlusions, without_rounding
from stvit_video.token_maps.cells import cell_sources, choose_cells, token_groups
from stvit_video.token_maps.token_site import ALONE, SeenTokens, TokenSite, token_site
from stvit_video.token_maps.video_windows import Window, Windows, read_windows
from stvit_video.tokens.reducers.token_reducer import TokenReducer
from stvit_video.visualization.token_captions import tokens_words
from stvit_video.visualization.token_record import ClipTokens, VideoTokens

__all__ = ["file_windows", "label_number", "tokens_of", "untrained_notes", "video_tokens"]

NUM_NEAR = 3  # labels that an error names
NEAR = 0.5  # of difflib's ratio


def video_tokens(
    recognizer: Recognizer,
    path: str | os.PathLike[str],
    *,
    label: str | int | None = None,
    max_clips: int = 8,
    layer: int | None = None,
    time_limit_seconds: float | None = None,
    backend: str = "auto",
) -> VideoTokens:
    """Look at the tokens of a video, or with an image model of a picture.

    The clips are windows from its start, one after the other, of which the model sees the central view; the
    probabilities are those of `predict`, by the views of the checkpoint's protocol.

    Args:
        recognizer: the checkpoint.
        path: of the video or picture.
        label: name or number of the class that contributions and occlusions are of; None = the likeliest.
        max_clips: clips to look at, at most; of more windows they are spread evenly.
        layer: of a dense model, blocks before its image tokens are looked at; None = `default_layer`.
        time_limit_seconds: for opening the file and for each reading of it, see `open_video`.
        backend: decoder, see `open_video`.

    Raises:
        DecodeError: the file can't be read.
        NonFiniteLogitsError: the model gives NaN.
        ValueError: a label or layer that there isn't, or what labels no videos.
    """
    if not isinstance(recognizer, Recognizer):
        raise ValueError(
            f"a {type(recognizer).__name__} shows no tokens; give a checkpoint that labels videos or pictures, and use "
            "stvit_video.predict for detectors, segmenters and bundles"
        )
    whole_number("max_clips", max_clips)
    if label is not None:
        label_number(label, recognizer.classes)  # before anything is read
    token_site(recognizer.model, layer=layer)
    found = model_input(recognizer, path, time_limit_seconds=time_limit_seconds, backend=backend)
    windows = file_windows(
        recognizer, path, max_clips=max_clips, time_limit_seconds=time_limit_seconds, backend=backend
    )
    return tokens_of(recognizer, path, found=found, windows=windows, label=label, layer=layer)


def file_windows(
    recognizer: Recognizer,
    path: str | os.PathLike[str],
    *,
    max_clips: int,
    time_limit_seconds: float | None = None,
    backend: str = "auto",
) -> Windows:
    """Read the clips of a file whose tokens are looked at.

    Args:
        recognizer, path, max_clips, time_limit_seconds, backend: as `video_tokens`.

    Raises:
        DecodeError: the file can't be read.
    """
    record = file_record(path, num_frames=recognizer.preprocessing.num_frames)
    source = FrameSource(backend=backend, time_limit_seconds=time_limit_seconds, warn=False)
    return read_windows(recognizer, record, source, max_clips=max_clips)


def tokens_of(
    recognizer: Recognizer,
    path: str | os.PathLike[str],
    *,
    found: ModelInput,
    windows: Windows,
    label: str | int | None = None,
    layer: int | None = None,
) -> VideoTokens:
    """The tokens of a video that is read already.

    Args:
        recognizer, path, label, layer: as `video_tokens`.
        found: its views, of `model_input`.
        windows: its clips, of `file_windows`.

    Raises:
        NonFiniteLogitsError, ValueError: as `video_tokens`.
    """
    chosen = None if label is None else label_number(label, recognizer.classes)
    record = file_record(path, num_frames=recognizer.preprocessing.num_frames)
    with in_eval_mode(recognizer.model):
        site = token_site(recognizer.model, layer=layer)
        probabilities = _probabilities(recognizer, found.views, str(path))
        chosen = int(probabilities.argmax()) if chosen is None else chosen
        looked = [_look(recognizer, site, window, label=chosen) for window in windows.clips]
        return VideoTokens(
            name=Path(path).name,
            clips=[clip for clip, _, _ in looked],
            classes=recognizer.classes,
            label=chosen,
            probabilities=probabilities,
            multi_label=recognizer.multi_label,
            is_semantic=site.is_semantic,
            where=site.words,
            left_out=site.left_out if len(looked[0][0].sources) > 1 else ALONE,
            token_grid=looked[0][1],
            fps=windows.fps,
            seconds=nan if record.is_picture else windows.seconds,
            protocol=recognizer.protocol.describe(
                short_side=recognizer.preprocessing.short_side, multi_label=recognizer.multi_label
            ),
            model_name=recognizer.model_name,
            cost=_cost(recognizer),
            num_views=len(found.views),
            notes=(
                *untrained_notes(recognizer.model),
                *_window_notes(windows),
                *_token_notes(site, [share for _, _, share in looked]),
            ),
        )


def label_number(label: str | int, classes: Sequence[str]) -> int:
    """The number of a class that is given by its name or number.

    Raises:
        ValueError: there is no such class.
    """
    if isinstance(label, str) and label in classes:
        return list(classes).index(label)
    number = int(label) if isinstance(label, str) and label.isdecimal() else label
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(classes):
        return number
    near = get_close_matches(label, classes, n=NUM_NEAR, cutoff=NEAR) if isinstance(label, str) else []
    near = near or list(classes)[:NUM_NEAR]
    raise ValueError(
        f"label={label!r} is none of the {len(classes)} labels; give a number from 0 to {len(classes) - 1}, or a name "
        f"such as {', '.join(near)}"
    )


def _probabilities(recognizer: Recognizer, views: torch.Tensor, name: str) -> np.ndarray:
    """(num_classes,) of the whole video, of its views (V, C, T, H, W)."""
    with torch.inference_mode():
        parts = views.split(MAX_VIEWS_PER_FORWARD)
        logits = torch.cat([recognizer.model(part.to(recognizer.device)).float().cpu() for part in parts])
    _require_finite(logits, name)
    return recognizer.view_probabilities(logits[None])[0].numpy()


def _require_finite(logits: torch.Tensor, name: str) -> None:
    if not torch.isfinite(logits).all():
        raise NonFiniteLogitsError(f"the model gives NaN or infinite logits for {name}")


def _look(
    recognizer: Recognizer, site: TokenSite, window: Window, *, label: int
) -> tuple[ClipTokens, tuple[int, ...], float | None]:
    """The tokens of one clip, their grid, and the share of their sources that attention supplies."""
    view = window.view.to(recognizer.device)
    seen = site.see(view)
    with torch.no_grad():
        logits = site.logits(seen.tokens.flatten(1, -2), seen).float().cpu()  # (1, num_classes)
    _require_finite(logits, "a clip")
    grid = tuple(seen.image_tokens.shape[1:-1])
    numbers = token_groups(site, seen)
    sources, token_grid, share = _sources(site, seen, numbers)
    clip = ClipTokens(
        frames=window.frames,
        seconds=window.seconds,
        seen=window.seen,
        sources=sources.reshape(len(sources), *(1,) * (3 - len(grid)), *grid),
        contributions=without_rounding(contributions(site, seen, label=label, numbers=numbers), logits),
        occlusions=without_rounding(occlusions(site, seen, label=label, numbers=numbers), logits),
        logits=logits[0].numpy(),
        probabilities=recognizer.view_probabilities(logits[None])[0].numpy(),
    )
    return clip, token_grid, share


def _sources(
    site: TokenSite, seen: SeenTokens, numbers: np.ndarray
) -> tuple[np.ndarray, tuple[int, ...], float | None]:
    """Sources (K, N) of the groups that tokens are in, the grid of the groups, and the share of attention."""
    grid = tuple(seen.tokens.shape[1:-1])
    if not isinstance(site.block, TokenReducer):
        return cell_sources(numbers), choose_cells(grid), None
    sources = site.block.sources(seen.image_tokens)[0].cpu().numpy()
    share = site.block.attention_share(seen.image_tokens)
    mean = None if share is None else float(share.mean())
    return sources, grid, mean


def _cost(recognizer: Recognizer) -> dict[str, Any]:
    """What a clip costs here: multiply-adds, and the median time of three forward passes."""
    size = clip_size(recognizer)
    rate = measure_throughput(recognizer.model, size, batch_size=1, device=recognizer.device, repeats=3, warmup=1)
    return {"GMACs a clip": count_gmacs(recognizer.model, size), "ms a clip": 1000 / rate}


def untrained_notes(model: TokenModel) -> list[str]:
    """A sentence for tokens or a place of generation that run now and that training has not seen."""
    notes = []
    count, place = None if model.token_grid is None else model.token_grid.count, model.generate_at
    if count is not None and count not in model.trained_counts:
        notes.append(f"Not trained for {tokens_words(count)}, but for {_listed(model.trained_counts)}.")
    if place is not None and place not in model.trained_places:
        notes.append(f"Not trained to generate after {place} blocks, but after {_listed(model.trained_places)}.")
    return [f"{note} Labels may be worse." for note in notes]


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _window_notes(windows: Windows) -> list[str]:
    notes = []
    if windows.num_windows > len(windows.clips):
        unit = "clips one after the other" if len(windows.clips[0].seconds) > 1 else "frames to look at"
        count = len(windows.clips)
        shown = f"{count} of them, spread evenly, are shown" if count > 1 else "the first of them is shown"
        notes.append(f"The video gives {windows.num_windows} {unit}; {shown}.")
    if windows.seconds_left > 0:
        notes.append(f"The last {windows.seconds_left:.2g} s of the video fill no clip and are not shown.")
    if windows.is_filled_up:
        notes.append(
            f"The video is too short, or has too few frames a second, for clips of {len(windows.clips[0].seconds)} "
            "frames, which repeat frames or begin again."
        )
    return notes


def _token_notes(site: TokenSite, shares: Sequence[float | None]) -> list[str]:
    if not site.is_semantic:
        return [
            "A dense model generates no tokens: its image tokens are put together in cells of a grid, and a cell is "
            "drawn where its patches are, though the blocks before have mixed others into them."
        ]
    notes = []
    if site.is_recovered:
        notes.append(
            "The image tokens come back behind these tokens, and reach the label past them as well. Contribution and "
            "occlusion are of what goes through the tokens alone."
        )
    known = [share for share in shares if share is not None]
    if known:
        notes.append(
            f"Attention supplies {100 * np.mean(known):.0f} % of what the tokens come from, max-pooling the rest."
        )
    return notes
