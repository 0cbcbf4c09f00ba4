"""From a model that generates its tokens at one place to one that does so at another, with the same blocks around."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from stvit_video.models.checkpoints.fit import Fit
from stvit_video.tokens.generation_places import moved_index, reducer_index

BIAS_TABLE = "attn.bias_table"  # of window blocks; zero where a block among tokens, which has none, becomes one


def move_generation(fit: Fit, model: nn.Module) -> None:
    """Renumber the blocks of a checkpoint whose reducer stands at another place than the model's.

    The ordinary blocks keep their order, so at the checkpoint's place of generation the model answers as that did.

    Args:
        fit: of a checkpoint of our keys; one without a reducer, or with as many blocks before it, stays as it is.
        model: the model that is to receive the weights.
    """
    wanted = model.state_dict()
    for prefix, now in _reducers(model):
        then = _place_in(fit.state, wanted, prefix, now)
        if then is None or then == now:
            continue
        for key in [key for key in fit.state if key.startswith(prefix)]:
            fit.state[f"\0{key}"] = fit.state.pop(key)
        for key in [key for key in fit.state if key.startswith("\0")]:
            index, _, rest = key.removeprefix("\0" + prefix).partition(".")
            there = f"{prefix}{moved_index(int(index), then=then, now=now)}.{rest}"
            if rest == BIAS_TABLE and there not in wanted:
                fit.unused.append(key.removeprefix("\0"))
                del fit.state[key]
            else:
                fit.state[there] = fit.state.pop(key)
        _start_bias_tables(fit, wanted, prefix)


def _start_bias_tables(fit: Fit, wanted: Mapping[str, Tensor], prefix: str) -> None:
    missing = [key for key in wanted if key.startswith(prefix) and key.endswith(BIAS_TABLE) and key not in fit.state]
    fit.state |= {key: torch.zeros_like(wanted[key]) for key in missing}
    fit.new += missing


def _reducers(model: nn.Module) -> Iterator[tuple[str, int]]:
    """Prefix of the blocks of every run with a reducer that can be moved, and the index of that."""
    for name, module in model.named_modules():
        kinds = getattr(module, "kinds", None)
        if isinstance(kinds, tuple) and (index := reducer_index(kinds)) is not None:
            yield (f"{name}.blocks." if name else "blocks."), index


def _place_in(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], prefix: str, now: int) -> int | None:
    """The index of the reducer among the blocks of a checkpoint; None = it has none of the model's kind."""
    ours, theirs = _blocks(wanted, prefix), _blocks(state, prefix)
    reducer = ours.get(now, set()) - ours[0]
    if not reducer:  # no weights: it shows by the number that is left out
        missing = [index for index in range(max(theirs, default=0)) if index not in theirs]
        return missing[0] if len(missing) == 1 else None
    found = [index for index, rests in theirs.items() if rests & reducer]
    return found[0] if len(found) == 1 and max(theirs) == max(ours) else None


def _blocks(state: Mapping[str, Tensor], prefix: str) -> dict[int, set[str]]:
    """Index of every block -> the ends of its keys."""
    found: dict[int, set[str]] = {}
    for key in state:
        index, _, rest = key.removeprefix(prefix).partition(".")
        if key.startswith(prefix) and index.isdecimal():
            found.setdefault(int(index), set()).add(rest)
    return found
