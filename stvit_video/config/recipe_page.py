"""The page of a recipe, in Markdown, written from the head of its file and the settings that it comes to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stvit_video.training.batch_size import BatchSize, describe_start

MARK = "<!-- docs-test: compose -->"
NOT_RUN = "not yet run by us."
INDEX_HEAD = """# Recipes

Written by `python scripts/write_reference_pages.py` from the files in `conf/experiment`; don't edit it.

A recipe is a file of settings for a data set. `+experiment=NAME` chooses it, and settings behind it change it.
**Not run** means that we have not trained it: its settings follow what is published, and its accuracy is unknown.
[What was not run](../not_run.md) says what was tested instead.

| recipe | what it trains | GMACs a view | effective batch | epochs | run by us |
|---|---|--:|--:|--:|---|
"""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A file of conf/experiment.

    Attributes:
        name: behind `+experiment=`.
        commands: that its head begins with.
        title: what it trains, the sentence behind the commands.
        notes: further sentences of the head.
        hardware: that it is for, "" = not said.
        gmacs: of a view, as the head says it, "" = not said.
        published: the accuracy that it aims at, "" = it was run.
        text: of the file, without its head.
        settings: what it comes to, plain values; of a classification with the whole protocol.
        results: the page with what we measured, below docs/; "" = none.
    """

    name: str
    commands: tuple[str, ...]
    title: str
    notes: str
    hardware: str
    gmacs: str
    published: str
    text: str
    settings: Mapping[str, Any]
    results: str = ""

    @property
    def batch(self) -> BatchSize:
        """What a step takes by the first command."""
        data, trainer = self.settings["data"], self.settings["trainer"]
        processes = re.search(r"--nproc_per_node (\d+)", self.commands[0])
        return BatchSize(
            per_process=data["batch_size"] // data["num_repeats"],
            num_processes=int(processes[1]) if processes else 1,
            num_accumulated=trainer["accumulate_grad_batches"],
            num_repeats=data["num_repeats"],
            unit="GPU" if processes else "process",
        )


def read_recipe(name: str, text: str, settings: Mapping[str, Any], *, results: str = "") -> Recipe:
    """A recipe from its file.

    Args:
        name: of the file.
        text: of the file; it begins with comments: commands, what it trains, hardware, cost, published accuracies.
        settings: what it comes to, plain values; of a classification with the whole protocol.
        results: see `Recipe`.

    Raises:
        ValueError: the head has no command.
    """
    lines = text.splitlines()[1:]  # behind "# @package _global_"
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    head = [line.removeprefix("# ") for line in lines[:end]]
    commands = tuple(line for line in head if re.match(r"python |torchrun ", line))
    if not commands:
        raise ValueError(f"conf/experiment/{name}.yaml does not say its command; begin it with # python -m ...")
    rest = "\n".join(line for line in head if line not in commands)
    hardware, gmacs = _taken(rest, "hardware: "), _taken(rest, "GMACs a view: ")
    words = "\n".join(line for line in rest.splitlines() if not line.startswith(("hardware: ", "GMACs a view: ")))
    about, _, published = words.partition(NOT_RUN)
    title, _, notes = _one_line(about).partition(". ")
    return Recipe(
        name=name,
        commands=commands,
        title=title.removesuffix("."),
        notes=notes,
        hardware=hardware,
        gmacs=gmacs,
        published=_one_line(published),
        text="\n".join(lines[end:]) + "\n",
        settings=settings,
        results=results,
    )


def recipe_page(recipe: Recipe) -> str:
    """A recipe in Markdown."""
    if recipe.results:
        state = f"**Run by us**: [results](../{recipe.results})."
    else:
        state = "**Not run by us.** The settings below are checked by tests; the accuracy that they lead to is unknown."
    command = "\n".join([MARK, "```bash", *recipe.commands, "```"])
    lines = [f"| {name} | {_cell(value)} |" for name, value in _facts(recipe) if value]
    rows = "\n".join(["| what | here |", "|---|---|", *lines])
    parts = [f"# {recipe.name}", _prose(f"{recipe.title}. {recipe.notes}".strip()), state, command]
    if "init_from=" in recipe.commands[0]:
        parts.append("`init_from` names the weights that it starts from.")
    parts.append(rows)
    if recipe.published:
        parts += ["## Published", _prose(recipe.published)]
    parts += ["## Its settings", f"`conf/experiment/{recipe.name}.yaml`:", f"```yaml\n{recipe.text}```"]
    return "\n\n".join(parts) + "\n"


def recipe_index(recipes: Sequence[Recipe]) -> str:
    """All recipes in one table."""
    return INDEX_HEAD + "\n".join(f"| {' | '.join(_index_cells(one))} |" for one in recipes) + "\n"


def _index_cells(one: Recipe) -> list[str]:
    run = f"[yes](../{one.results})" if one.results else "**not run**"
    gmacs, epochs = one.gmacs.partition(",")[0], one.settings["trainer"]["max_epochs"]
    return [f"[{one.name}]({one.name}.md)", _cell(_prose(one.title)), gmacs, f"{one.batch.clips}", f"{epochs}", run]


def _facts(recipe: Recipe) -> list[tuple[str, str]]:
    settings = recipe.settings
    model, optim = settings["model"], settings["optim"]
    tokens = "" if model.get("num_tokens") is None else f", {model['num_tokens']} semantic tokens"
    warmup = optim["warmup_epochs"]
    start = describe_start(recipe.batch, lr=optim["lr"], reference_batch=optim["lr_reference_batch"])
    data, test = _of_dense(settings) if "head" in settings else _of_classifier(settings)
    return [
        ("data", data),
        ("model", f"`{model['name']}`{tokens}"),
        ("head", f"`head={settings['head']['name']}`" if "head" in settings else ""),
        ("GMACs a view", recipe.gmacs),
        ("hardware", recipe.hardware),
        ("batch and learning rate", start),
        ("epochs", f"{settings['trainer']['max_epochs']}" + f", {warmup} of them warm-up" * (warmup is not None)),
        ("test protocol", test),
    ]


def _of_classifier(settings: Mapping[str, Any]) -> tuple[str, str]:
    """What it sees in training, and its test protocol."""
    data, protocol = settings["data"], settings["protocol"]
    frames = f"{data['num_frames']} frames, " if data["num_frames"] > 1 else ""
    return (
        f"`data={data['source']}`; {frames}{data['crop_size']} pixels",
        f"`{protocol['name']}`, clips x crops: {protocol['num_clips']} x {protocol['num_crops']}",
    )


def _of_dense(settings: Mapping[str, Any]) -> tuple[str, str]:
    """The same of a detector or segmenter; `head` has all its options."""
    data, head = settings["data"], settings["head"]
    size = f"short side of {data['short_side']} pixels, long side of at most {data['long_side']}"
    if "detections" not in head:
        window = head["window"]
        looked = "the whole picture at once" if window is None else f"windows of {window} pixels"
        return f"`data={data['source']}`; crops of {data['crop_size']} pixels", f"{size}; {looked}"
    sides = settings["augment"]["short_sides"] or [data["short_side"]]
    pixels = f"{sides[0]}" if len(sides) == 1 else f"one of {', '.join(map(str, sides))}"
    found = f"{head['detections']} detections from score {head['score_threshold']}, NMS {head['nms_threshold']}"
    return f"`data={data['source']}`; short side of {pixels} pixels", f"{size}; {found}"


def _taken(text: str, start: str) -> str:
    found = re.search(rf"^{start}(.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _prose(text: str) -> str:
    """A comment as Markdown: settings in backticks, no sign taken for more than it is."""
    escaped = text.replace("<", "&lt;").replace("*", "\\*")
    return re.sub(r"(?<![\w`])\+?[a-z][\w.]*=[^\s;,()]*[^\s;,().:]", r"`\g<0>`", escaped)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
