"""What the page shows for a clip, as parts of HTML. An error is a sentence, no traceback and no path of the server."""

import sys
import traceback
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from stvit_video.pages.render import render_page
from stvit_video.webdemo.clip_limits import ClipLimits, RefusedError, check_clip
from stvit_video.webdemo.clip_store import ClipStore
from stvit_video.webdemo.demo_model import DemoModel, TokenChoice, UnreadableError
from stvit_video.webdemo.display_copy import display_copy
from stvit_video.webdemo.reading_budget import ReadingBudget

__all__ = ["DemoAnswers", "Said", "waiting"]

FAILED = "Something failed in the demo; the terminal in which it was started says what."
GONE = "The clip is no longer here: it is kept while the page is open and in use. Choose it again."


class Said(NamedTuple):
    """A part of the page, whether it is the sentence of an error, and whether that is of the clip, not of a model."""

    html: str
    is_error: bool = False
    is_of_clip: bool = False


class DemoAnswers:
    """The answers of the page, to whatever a browser sends. One thread at a time asks for those of models.

    Args:
        models: one, or two that are shown side by side.
        store: the clips.
        limits: of a clip.
    """

    def __init__(self, models: Sequence[DemoModel], *, store: ClipStore, limits: ClipLimits) -> None:
        self.models = models
        self.store = store
        self.limits = limits

    def budget(self) -> ReadingBudget:
        """For one request: what its visitor asks of a clip, by all models."""
        return ReadingBudget(self.limits.time_limit_seconds)

    def check(self, token: object, session: str | None, budget: ReadingBudget) -> Said:
        """Whether a clip can be used, which is that of this visitor from now on; one that can't is removed.

        Args:
            token: of the clip.
            session: of the visitor.
            budget: for reading it.
        """

        def work() -> str:
            path = self.store.path_of(token, session=session)
            if path is None:
                raise RefusedError(GONE)
            with budget.spent():
                facts = check_clip(path, self.limits)
            return waiting(f"The clip: {facts}. Labelling ...", clip=token)

        said = self._told(work, clip=token)
        if said.is_error:
            self.store.drop(str(token))
        return said._replace(is_of_clip=said.is_error)

    def label(self, number: int, token: object, choice: TokenChoice, budget: ReadingBudget) -> Said:
        """The likeliest labels of a clip, what they cost, and what the sliders mean.

        Args:
            number: of the model.
            token: of the clip.
            choice: of the sliders.
            budget: as `check`.
        """

        def work() -> str:
            model = self.models[number]
            checked = _checked(model, choice)
            answer = model.label(self._path(token), checked, budget)
            facts, notes = _of_choice(model, checked)
            shares = zip(answer.prediction.labels, answer.prediction.probabilities, strict=True)
            return render_page(
                "demo_answer.html",
                clip=_mark(token),
                error=None,
                waiting=None,
                bars=[(label, share, f"{100 * share:.1f} %") for label, share in shares],
                facts=[*answer.facts, *facts],
                notes=[*notes, *answer.notes],
            )

        return self._told(work, clip=token)

    def show_tokens(self, number: int, token: object, choice: TokenChoice, budget: ReadingBudget) -> Said:
        """A video of what the tokens of a model have seen; nothing of a model without such.

        Args:
            number, token, choice, budget: as `label`.
        """

        def work() -> str:
            model = self.models[number]
            shown = model.show_tokens(self._path(token), _checked(model, choice), self.store.folder, budget)
            if shown is None:
                return ""
            return _video(shown.mp4, clip=token, kind="tokens", caption=shown.caption, notes=shown.notes)

        return self._told(work, clip=token)

    def copy(self, token: object) -> Said:
        """The clip as every browser can play it; nothing of one that can't be used, as its answer says why."""
        path = self.store.path_of(token)
        if path is None or self._told(lambda: str(check_clip(path, self.limits)), clip=token).is_error:
            return Said("")
        return self._told(
            lambda: _video(
                display_copy(path, self.limits),
                clip=token,
                kind="copy",
                caption="A copy, as this browser can't play the file itself.",
            ),
            clip=token,
        )

    def _told(self, work: Callable[[], str], *, clip: object) -> Said:
        """What `work` gives, or the sentence of its error; an error that is ours goes to the terminal."""
        is_of_clip = False
        try:
            return Said(work())
        except RefusedError as error:
            sentence, is_of_clip = str(error), isinstance(error, UnreadableError)
        except Exception:
            if self.store.folder.exists():  # else the demo ends, and what is at work fails without its files
                traceback.print_exc(file=sys.stderr)
            sentence = FAILED
        html = render_page("demo_answer.html", clip=_mark(clip), error=sentence, waiting=None)
        return Said(html, is_error=True, is_of_clip=is_of_clip)

    def _path(self, token: object) -> Path:
        path = self.store.path_of(token)
        if path is None:
            raise UnreadableError(GONE)
        return path


def waiting(sentence: str, *, clip: object = "") -> str:
    """A part that says what is being done.

    Args:
        sentence: it.
        clip: token of the clip that it is of; "" = of none.
    """
    return render_page("demo_answer.html", clip=_mark(clip), waiting=sentence, error=None)


def _mark(token: object) -> str:
    """What a part says of whose clip it is: the page shows those of its newest clip alone."""
    return token if isinstance(token, str) else ""


def _video(mp4: bytes, *, clip: object, kind: str, caption: str, notes: Sequence[str] = ()) -> str:
    src = f"data:video/mp4;base64,{b64encode(mp4).decode('ascii')}"
    return render_page("demo_video.html", clip=_mark(clip), src=src, kind=kind, caption=caption, notes=notes)


def _checked(model: DemoModel, choice: TokenChoice) -> TokenChoice:
    """The choice as the model's sliders allow it."""
    return TokenChoice(
        num_tokens=None if model.token_steps is None else model.token_steps.checked(choice.num_tokens),
        place=None if model.place_steps is None else model.place_steps.checked(choice.place),
    )


def _of_choice(model: DemoModel, choice: TokenChoice) -> tuple[list[tuple[str, str]], list[str]]:
    """What the sliders stand at, as facts, and a sentence for each value that training has not seen."""
    facts, notes = [], []
    for steps, value, name in (
        (model.token_steps, choice.num_tokens, "semantic tokens"),
        (model.place_steps, choice.place, "generated after block"),
    ):
        if steps is not None and value is not None:
            warning = steps.warning(value)
            facts.append((name, f"{value} ({'not trained for' if warning else 'trained for'})"))
            if warning:
                notes.append(f"{name} {value}: {warning}.")
    return facts, notes
