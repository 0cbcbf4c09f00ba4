"""Cost of models by name: parameters, multiply-adds and tokens of one view, each beside its dense model."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.evaluation.cost.published import published_figures
from stvit_video.evaluation.cost.table import Cost
from stvit_video.model_benchmark.model_row import IN_CHANNELS
from stvit_video.models import create_model, list_models, model_options
from stvit_video.models.registry import dense_name


def choose_names(patterns: Sequence[str]) -> list[str]:
    """The models that names or shell patterns such as "stvit_*" ask for, each once; all where there are none.

    Raises:
        ValueError: a name that is no model's, or a pattern that no model has.
    """
    known = list_models()
    chosen: dict[str, None] = {}
    for pattern in patterns or ["*"]:
        matching = [name for name in known if fnmatchcase(name, pattern)]
        if not matching and not set(pattern) & set("*?["):
            model_options(pattern)  # says which name is the closest
        if not matching:
            raise ValueError(f"no model's name matches {pattern!r}; the names are {', '.join(known)}")
        chosen.update(dict.fromkeys(matching))
    return list(chosen)


def measure_cost(
    name: str,
    *,
    image_size: tuple[int, ...] = (224, 224),
    num_frames: int = 16,
    num_tokens: int | tuple[int, ...] | None = None,
    generate_at: int | None = None,
) -> Cost:
    """Build a model with its default options and count one view.

    Args:
        name: of the model.
        image_size: (H, W) pixels.
        num_frames: frames T of a clip; image models have none.
        num_tokens: semantic tokens, a count or a grid; None = the model's default. Dense models have none.
        generate_at: blocks before they are generated; likewise.

    Raises:
        ValueError: what the model refuses, after its name.
    """
    is_video, is_dense = "num_frames" in model_options(name), name == dense_name(name)
    input_size = (num_frames, *image_size) if is_video else image_size
    options: dict[str, Any] = {"num_frames": num_frames} if is_video else {}
    slot = {"num_tokens": num_tokens, "generate_at": generate_at}
    tokens: dict[str, Any] = {} if is_dense else {key: value for key, value in slot.items() if value is not None}
    try:
        model = create_model(name, image_size=image_size, **options, **tokens)
        gmacs = count_gmacs(model, (IN_CHANNELS, *input_size))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return Cost(
        name=name,
        input_size=input_size,
        num_parameters=count_parameters(model),
        gmacs=gmacs,
        tokens=model.tokens_per_level(),
        published=None if tokens else published_figures(name, input_size),
    )


def measure_costs(
    names: Sequence[str],
    *,
    image_size: tuple[int, ...] = (224, 224),
    num_frames: int = 16,
    num_tokens: int | tuple[int, ...] | None = None,
    generate_at: int | None = None,
) -> list[Cost]:
    """The costs of several models, each beside the dense model of its family, size and input.

    Args:
        names: of the models; the other settings are those of `measure_cost`.

    Returns:
        Images before clips, by family and size, the dense model first.

    Raises:
        ValueError: as `measure_cost`.
    """
    wanted = dict.fromkeys([*names, *map(dense_name, names)])
    costs = {
        name: measure_cost(
            name, image_size=image_size, num_frames=num_frames, num_tokens=num_tokens, generate_at=generate_at
        )
        for name in wanted
    }
    rows = [
        replace(costs[name], dense_gmacs=None if name == dense_name(name) else costs[dense_name(name)].gmacs)
        for name in names
    ]

    def place(cost: Cost) -> tuple[int, str, int, int]:
        dense = dense_name(cost.name)
        return len(cost.input_size), dense.rpartition("_")[0], costs[dense].num_parameters, len(cost.name)

    return sorted(rows, key=place)
