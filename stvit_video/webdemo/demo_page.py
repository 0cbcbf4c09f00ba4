"""The page in gradio's parts: where a clip is dropped, and a column of sliders and answers for each model."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from stvit_video.pages.render import TEMPLATES
from stvit_video.utils.optional import install_extra, load_optional
from stvit_video.webdemo.answers import DemoAnswers, waiting
from stvit_video.webdemo.demo_model import DemoModel, Steps, TokenChoice
from stvit_video.webdemo.request_gate import JOIN_AT, UPLOAD_AT

__all__ = ["build_page", "load_gradio", "page_head"]

PARTS = Path(__file__).parent / "page_parts"
TITLE = "stvit-video demo"
ALIVE_AT = "/gradio_api/app_id"  # answers as long as the server does
MOST_SHOWN = 6  # labels of a model; more are folded
MAX_WAITING = 24  # events of all visitors that wait for the model
MODEL = {"concurrency_limit": 1, "concurrency_id": "model", "api_visibility": "private", "show_progress": "minimal"}
IDLE = "Drop a video, record one, or click on an example."
DRAWING = "Looking at the tokens ..."


def load_gradio() -> Any:
    """The library.

    Raises:
        MissingLibraryError: it is not installed.
    """
    return load_optional("gradio", needed_for="the demo", install=install_extra("demo"))


def page_head() -> str:
    """Styles of the page, in which parts look as on the other pages; fonts are those of the system."""
    shared = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return f"<style>.shared-look {{\n{shared}\n}}\n{(PARTS / 'demo.css').read_text(encoding='utf-8')}</style>"


def build_page(answers: DemoAnswers, *, examples: Sequence[Mapping[str, str]]) -> Any:
    """The page, as gradio's Blocks.

    Args:
        answers: what it shows.
        examples: name, token and address of each example clip.

    Raises:
        MissingLibraryError: gradio is not installed.
    """
    gr = load_gradio()
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=False) as page:
        gr.HTML(f"<h1>{TITLE}</h1>")
        clip = gr.State(None)
        zone = _drop_zone(gr, answers, examples)
        problem = gr.HTML(elem_id="clip-problem")
        copy = gr.HTML(elem_id="copy")
        with gr.Row(equal_height=False):
            is_alone = len(answers.models) == 1
            columns = [_Column(gr, model, number, is_alone=is_alone) for number, model in enumerate(answers.models)]
        _connect(gr, page, answers, clip=clip, zone=zone, problem=problem, copy=copy, columns=columns)
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=1, api_open=False)
    return page


def _drop_zone(gr: Any, answers: DemoAnswers, examples: Sequence[Mapping[str, str]]) -> Any:
    limits = answers.limits
    return gr.HTML(
        html_template=(PARTS / "drop_zone.html").read_text(encoding="utf-8"),
        js_on_load=(PARTS / "drop_zone.js").read_text(encoding="utf-8"),
        elem_id="drop-zone",
        limits=json.dumps(
            {
                "max_bytes": limits.max_bytes,
                "max_megabytes": limits.max_megabytes,
                "upload_at": UPLOAD_AT,
                "alive_at": ALIVE_AT,
                "join_at": JOIN_AT,
                "words": f"Up to {limits.max_megabytes} MB and {limits.max_seconds:g} s. A clip is removed when "
                "the next one comes or the page is closed. Below are examples of the embedded data set.",
                "examples": list(examples),
            }
        ),
    )


class _Column:
    """The parts of one model; of one that is alone the tokens stand beside its labels, else below them."""

    def __init__(self, gr: Any, model: DemoModel, number: int, *, is_alone: bool) -> None:
        with gr.Column(elem_id=f"model-{number}", scale=2, min_width=320):
            gr.HTML(_heading(model))
            self.tokens = _slider(gr, model.token_steps, "semantic tokens", f"tokens-{number}")
            self.place = _slider(gr, model.place_steps, "generated after block", f"place-{number}")
            gr.HTML('<p class="progress" role="status"></p>', elem_classes="progress-part")  # of `drop_zone.js`
            self.answer = gr.HTML(waiting(IDLE), elem_id=f"answer-{number}")
            self.shown = gr.HTML("", elem_id=f"shown-{number}", render=not is_alone)
        if is_alone:
            with gr.Column(scale=3, min_width=320):
                self.shown.render()
        self.sliders = [slider for slider in (self.tokens, self.place) if slider is not None]

    def choice(self, values: Sequence[Any]) -> TokenChoice:
        """What the sliders say, from their values in the order of `sliders`."""
        given = iter(values)
        return TokenChoice(
            num_tokens=None if self.tokens is None else next(given), place=None if self.place is None else next(given)
        )


def _heading(model: DemoModel) -> str:
    parts = (f"<h3>{escape(model.name)}</h3>", f'<p class="about">{escape(model.about)}</p>')
    why = f'<p class="about">{escape(model.why_fixed)}</p>' if model.why_fixed else ""
    return f'<section class="answer">{"".join(parts)}{why}{_label_list(model.labels)}</section>'


def _label_list(labels: Sequence[str]) -> str:
    """All labels of a model, folded where there are many."""
    is_open = " open" if len(labels) <= MOST_SHOWN else ""
    return (
        f'<details class="about"{is_open}><summary>Its {len(labels)} labels</summary>'
        "<p>The model knows these labels only and always answers with one of them, whatever the clip shows:</p>"
        f"<ul>{''.join(f'<li>{escape(label)}</li>' for label in labels)}</ul></details>"
    )


def _slider(gr: Any, steps: Steps | None, label: str, elem_id: str) -> Any:
    if steps is None:
        return None
    return gr.Slider(
        minimum=steps.low,
        maximum=steps.high,
        step=steps.step,
        value=steps.chosen,
        label=label,
        info=f"trained for {', '.join(map(str, steps.trained))}",
        elem_id=elem_id,
    )


def _token(event: Any) -> Any:
    """The token that an event of the drop zone brings; None = it brings nothing."""
    try:
        return event.token
    except (AttributeError, TypeError):  # the latter of gradio, where nothing came
        return None


def _connect(
    gr: Any,
    page: Any,
    answers: DemoAnswers,
    *,
    clip: Any,
    zone: Any,
    problem: Any,
    copy: Any,
    columns: Sequence[_Column],
) -> None:
    """Let events of the parts ask for answers."""
    sliders = [slider for column in columns for slider in column.sliders]
    parts = [part for column in columns for part in (column.answer, column.shown)]
    events = {**MODEL, "trigger_mode": "multiple"}  # a clip may be chosen while that of before is looked at
    zone.clip(_take(gr, answers, columns), inputs=sliders, outputs=[clip, problem, copy, *parts], **events)
    zone.unplayable(_show_copy(gr, answers), outputs=copy, **{**events, "concurrency_id": "copy"})
    page.unload(_leave(gr, answers))
    for number, column in enumerate(columns):
        if column.sliders:
            gr.on(
                [slider.change for slider in column.sliders],
                _again(gr, answers, column, number),
                inputs=[clip, *column.sliders],
                outputs=[problem, column.answer, column.shown],
                trigger_mode="always_last",
                **MODEL,
            )


def _take(gr: Any, answers: DemoAnswers, columns: Sequence[_Column]) -> Any:
    """What a new clip does: all models label it, then all show their tokens."""

    def take(event: Any, request: Any, *values: Any) -> Iterator[list[Any]]:
        token, budget = _token(event), answers.budget()
        nothing = [""] * (2 * len(columns))
        said = answers.check(token, request.session_hash, budget)
        if said.is_error:
            yield [None, said.html, "", *nothing]
            return
        shown = [said.html, ""] * len(columns)
        yield [token, "", gr.skip(), *shown]  # a copy may have come while the models were busy
        given = iter(values)
        choices = [column.choice([next(given) for _ in column.sliders]) for column in columns]
        for number, choice in enumerate(choices):
            said = answers.label(number, token, choice, budget)
            if said.is_of_clip and number == 0:  # told once, and not tried again for the other model
                yield [None, said.html, gr.skip(), *nothing]
                return
            shown[2 * number : 2 * number + 2] = [said.html, "" if said.is_error else waiting(DRAWING, clip=token)]
            yield [token, gr.skip(), gr.skip(), *shown]
        for number, choice in enumerate(choices):
            if shown[2 * number + 1]:
                shown[2 * number + 1] = answers.show_tokens(number, token, choice, budget).html
                yield [token, gr.skip(), gr.skip(), *shown]

    take.__annotations__ |= {"event": gr.EventData, "request": gr.Request}  # by which gradio knows what to give
    return take


def _show_copy(gr: Any, answers: DemoAnswers) -> Any:
    """What a clip does that the browser can't play."""

    def show_copy(event: Any) -> str:
        return answers.copy(_token(event)).html

    show_copy.__annotations__ |= {"event": gr.EventData}
    return show_copy


def _leave(gr: Any, answers: DemoAnswers) -> Any:
    """What a page does that is closed."""

    def leave(request: Any) -> None:
        answers.store.drop_session(request.session_hash)

    leave.__annotations__ |= {"request": gr.Request}
    return leave


def _again(gr: Any, answers: DemoAnswers, column: _Column, number: int) -> Any:
    """What a slider of a column does: the clip that is there is looked at again."""

    def again(token: Any, *values: Any) -> Iterator[tuple[Any, Any, Any]]:
        if token is None:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        choice, budget = column.choice(values), answers.budget()
        said = answers.label(number, token, choice, budget)
        if said.is_of_clip:
            yield said.html, "", ""
            return
        yield gr.skip(), said.html, "" if said.is_error else waiting(DRAWING, clip=token)
        if not said.is_error:
            yield gr.skip(), said.html, answers.show_tokens(number, token, choice, budget).html

    return again
