"""A checkpoint on the page: labels, tokens, and what they cost at the place of the sliders."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

from stvit_video.data.decoding.request import DecodeError, DecodeTimeoutError
from stvit_video.data.decoding.video import CAN_ISOLATE, ISOLATED
from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters, measure_throughput
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.cost import clip_size
from stvit_video.inference.model_input import ModelInput, model_input
from stvit_video.inference.recognizer import Recognizer
from stvit_video.token_maps.video_tokens import file_windows, tokens_of
from stvit_video.token_maps.video_windows import Windows
from stvit_video.visualization.class_map_video import save_class_maps
from stvit_video.visualization.token_captions import entropy_words
from stvit_video.visualization.token_record import VideoTokens
from stvit_video.visualization.tube_video import save_tubes
from stvit_video.webdemo.clip_limits import RefusedError, words_of_decoding
from stvit_video.webdemo.demo_model import (
    NUM_TIMED,
    TOP_K,
    Answer,
    ShownTokens,
    TokenChoice,
    UnreadableError,
    cost_facts,
    shown_name,
)
from stvit_video.webdemo.reading_budget import ReadingBudget
from stvit_video.webdemo.token_steps import fixed_words, place_steps, token_steps, tokens_of_count

__all__ = ["CheckpointModel"]

Read = TypeVar("Read")

BACKEND = ISOLATED if CAN_ISOLATE else "auto"
MAX_CLIPS = 2  # of which tokens are drawn; each takes a pass for every token


class CheckpointModel:
    """See `DemoModel`.

    Args:
        recognizer: of `load_recognizer`; its tokens and their place change with every call.
        name: as the page calls it.
    """

    def __init__(self, recognizer: Recognizer, *, name: str) -> None:
        self.recognizer = recognizer
        self.name = shown_name(name)
        model = recognizer.model
        self.token_steps, self.place_steps, self.why_fixed = token_steps(model), place_steps(model), fixed_words(model)
        tokens = f"{model.token_grid.count} semantic tokens" if model.token_grid else "dense"
        millions = count_parameters(model) / 1e6
        self.about = (
            f"{recognizer.model_name}, {tokens}, {len(recognizer.classes)} labels, {millions:.1f} M parameters, on "
            f"{recognizer.device.type}"
        )
        self.labels: Sequence[str] = recognizer.classes
        self._gmacs: dict[TokenChoice, float] = {}
        self._last_path: Path | None = None
        self._last: dict[str, Any] = {}  # what was read of the clip there, or why it was not

    def label(self, path: Path, choice: TokenChoice, budget: ReadingBudget) -> Answer:
        """See `DemoModel.label`."""
        self._use(choice)
        try:
            views = self._views(path, budget)
            prediction = self.recognizer(views.views, top_k=TOP_K)
        except DecodeError as error:
            raise UnreadableError(words_of_decoding(error, path)) from error
        except NonFiniteLogitsError as error:
            raise RefusedError("The model gives no finite values for this clip.") from error
        return Answer(prediction=prediction, facts=self._cost(choice, num_views=len(views.views)))

    def show_tokens(self, path: Path, choice: TokenChoice, folder: Path, budget: ReadingBudget) -> ShownTokens | None:
        """See `DemoModel.show_tokens`."""
        self._use(choice)
        target = folder / f"{token_hex(8)}.mp4"
        try:
            views, windows = self._views(path, budget), self._windows(path, budget)
            video = tokens_of(self.recognizer, path, found=views, windows=windows)
            notes = (save_tubes if video.is_semantic else save_class_maps)(video, target)
            return ShownTokens(mp4=target.read_bytes(), caption=_caption(video), notes=(*video.notes, *notes))
        except DecodeTimeoutError as error:
            raise RefusedError(
                f"The tokens are left out: reading the clip took longer than the {budget.seconds:g} s that it may take "
                "here."
            ) from error
        except DecodeError as error:
            raise UnreadableError(words_of_decoding(error, path)) from error
        finally:
            target.unlink(missing_ok=True)

    def _views(self, path: Path, budget: ReadingBudget) -> ModelInput:
        return self._once(
            "views",
            path,
            budget,
            lambda: model_input(self.recognizer, path, time_limit_seconds=budget.seconds, backend=BACKEND),
        )

    def _windows(self, path: Path, budget: ReadingBudget) -> Windows:
        return self._once(
            "windows",
            path,
            budget,
            lambda: file_windows(
                self.recognizer, path, max_clips=MAX_CLIPS, time_limit_seconds=budget.seconds, backend=BACKEND
            ),
        )

    def _once(self, name: str, path: Path, budget: ReadingBudget, read: Callable[[], Read]) -> Read:
        """What `read` gives of the last clip, for all places of the sliders; what took too long is not tried again.

        Raises:
            DecodeError: it can't be read, or there was no time left.
        """
        if self._last_path != path:
            self._last_path, self._last = path, {}
        if name not in self._last:
            with budget.spent():
                try:
                    self._last[name] = read()
                except DecodeTimeoutError as error:
                    self._last[name] = error
        found = self._last[name]
        if isinstance(found, DecodeTimeoutError):
            raise found
        return found

    def _use(self, choice: TokenChoice) -> None:
        model = self.recognizer.model
        if choice.num_tokens is not None:
            try:
                model.set_num_tokens(tokens_of_count(model, choice.num_tokens))
            except ValueError as error:
                raise RefusedError(f"This model can't run with {choice.num_tokens} tokens: {error}.") from error
        if choice.place is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # the page says beside the slider what it warns of
                model.set_generate_at(choice.place)

    def _cost(self, choice: TokenChoice, *, num_views: int) -> list[tuple[str, str]]:
        size, model = clip_size(self.recognizer), self.recognizer.model
        if choice not in self._gmacs:
            self._gmacs[choice] = count_gmacs(model, size)
        speed = measure_throughput(
            model, size, batch_size=1, device=self.recognizer.device, repeats=NUM_TIMED, warmup=1
        )
        return cost_facts(milliseconds=1e3 / speed, gmacs=self._gmacs[choice], num_views=num_views)


def _caption(video: VideoTokens) -> str:
    """What the video shows, and how far it is to be believed."""
    clips = "the clip" if len(video.clips) == 1 else f"{len(video.clips)} clips of the video"
    if not video.is_semantic:
        return (
            f"What speaks for and against {video.classes[video.label]!r} in {clips}, {video.where}. "
            "The stronger the colour, the more it speaks."
        )
    kind = entropy_words(video.entropy).partition(": ")[2]
    return (
        f"What each of {video.num_tokens} tokens has seen in {clips}, {video.where}. A place has the colour of the "
        "token that takes most of it, and full colour is the largest share that a token takes of any place. How "
        f"places are shared out: {kind} ({video.entropy:.2f}; at 0 each belongs to one token, at 1 to all alike)."
    )
