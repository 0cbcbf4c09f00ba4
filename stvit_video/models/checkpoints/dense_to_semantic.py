"""From the blocks of a dense model to those of a semantic one, and from a semantic image model's to a video's."""

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from stvit_video.models.checkpoints.fit import TIME_POSITIONS, Fit
from stvit_video.models.registry import layer_groups
from stvit_video.tokens.plan_text import is_slot_kind
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.token_reducer import TokenReducer

GAINS = (".ls1.gamma", ".ls2.gamma")  # of blocks of a slot, unknown to dense models


def is_dense(state: Mapping[str, Tensor], model: nn.Module) -> bool:
    """Whether the weights are of a dense model of as many layers as the model, which has a slot.

    A slot shows: by the layers inside it, or by the place that it leaves free among the blocks.
    """
    if not any(isinstance(module, TokenReducer) for module in model.modules()):
        return False
    heads = layer_groups(model).heads
    own = {key for key in model.state_dict() if not key.startswith(heads) and key != TIME_POSITIONS}
    if own <= set(state) or any(".layers." in key for key in state):
        return False
    return all(
        _indices(state, prefix) == set(range(len(_places(kinds, beside)))) for prefix, kinds, beside in _levels(model)
    )


def ordinary_blocks(model: nn.Module) -> tuple[str, ...]:
    """The prefixes of the blocks of a model that have nothing to do with a slot."""
    return tuple(
        f"{prefix}{index}."
        for prefix, kinds, _ in _levels(model)
        for index, kind in enumerate(kinds)
        if not is_slot_kind(kind)
    )


def _indices(state: Mapping[str, Tensor], prefix: str) -> set[int]:
    """The places of the blocks that a state dict has of one level."""
    found = (key.removeprefix(prefix).partition(".")[0] for key in state if key.startswith(prefix))
    return {int(index) for index in found if index.isdecimal()}


def fill_slots(fit: Fit, model: nn.Module) -> None:
    """Give the blocks of a dense model to those of a semantic one, layer by layer.

    Generation and recovery ask with a projection of their own, the first third of the joint one. Where the dense
    layers have no attention (CAS-ViT) the slot stays new, and so does a reducer that is not made of such blocks.
    """
    wanted = model.state_dict()
    for prefix, kinds, beside in _levels(model):
        places = _places(kinds, beside)
        for index, layer in _blocks(fit, prefix).items():
            source = f"{prefix}{index}."
            place, kind = places[index]
            if _stays_new(kind, beside=beside):
                fit.unused += [f"{source}{rest}" for rest in layer]
                continue
            for rest, value in layer.items():
                _place(fit, wanted, f"{prefix}{place}.", rest, value, source=f"{source}{rest}")
        _keep_slots(fit, wanted, prefix, kinds, beside=beside)


def make_room(fit: Fit, model: nn.Module) -> None:
    """Between the blocks of a semantic image model, leave place for those that a video has and an image has not.

    These are the joint blocks among blocks without attention, the mixers of CAS-ViT; they stay new.
    """
    wanted = model.state_dict()
    for prefix, kinds, beside in _levels(model):
        if not beside or "refine" not in kinds:
            continue
        kept = [index for index, kind in enumerate(kinds) if kind != "refine"]
        for index, layer in _blocks(fit, prefix).items():
            place = kept[index] if index < len(kept) else f"{index} (image)"
            fit.state |= {f"{prefix}{place}.{rest}": value for rest, value in layer.items()}
        joint = tuple(f"{prefix}{index}." for index, kind in enumerate(kinds) if kind == "refine")
        fit.new += [key for key in wanted if key.startswith(joint)]


def _blocks(fit: Fit, prefix: str) -> dict[int, dict[str, Tensor]]:
    """Take the blocks of one level out of a state dict: index -> rest of the key -> tensor."""
    blocks: dict[int, dict[str, Tensor]] = {}
    for key in [key for key in fit.state if key.startswith(prefix)]:
        index, _, rest = key.removeprefix(prefix).partition(".")
        if index.isdecimal():
            blocks.setdefault(int(index), {})[rest] = fit.state.pop(key)
    return blocks


def _levels(model: nn.Module) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Prefix and kinds of every run of blocks, and whether its attention stands beside the blocks of a dense model."""
    groups = layer_groups(model)
    for name, module in model.named_modules():
        if isinstance(kinds := getattr(module, "kinds", None), tuple):
            yield (f"{name}.blocks." if name else "blocks."), kinds, groups.lacks_attention(kinds)


def _added(kinds: tuple[str, ...], beside: bool) -> list[int]:
    """Blocks that a level has beside those of the dense model: attention among all tokens, and recovery."""
    return [i for i, kind in enumerate(kinds) if beside and kind in ("refine", "recover")]


def _places(kinds: tuple[str, ...], beside: bool) -> list[tuple[str, str]]:
    """For every layer of the dense model in order: where it goes among the blocks, and the kind there."""
    places, added = [], _added(kinds, beside)
    for index, kind in enumerate(kinds):
        if index in added:
            continue
        if kind in REDUCERS:
            places += [(f"{index}.layers.{i}", kind) for i in range(REDUCERS[kind].num_layers)]
        else:
            places.append((str(index), kind))
    return places


def _place(fit: Fit, wanted: Mapping[str, Tensor], prefix: str, rest: str, value: Tensor, *, source: str) -> None:
    """Put one tensor of a dense block where it belongs in a semantic model's."""
    kind = rest.rpartition(".")[2]
    if rest.startswith("attn.qkv.") and f"{prefix}attn.q.{kind}" in wanted:
        query, key_value = value.tensor_split([len(value) // 3 if value.ndim else 0])
        fit.state |= {f"{prefix}attn.q.{kind}": query, f"{prefix}attn.kv.{kind}": key_value}
    elif rest == "attn.bias_table" and f"{prefix}{rest}" not in wanted:
        fit.unused.append(source)
    else:
        fit.state[f"{prefix}{rest}"] = value


def _stays_new(kind: str, *, beside: bool) -> bool:
    """Whether a block of a level takes nothing from a dense model."""
    if kind in REDUCERS and not REDUCERS[kind].takes_block_weights:
        return True
    return is_slot_kind(kind) and beside


def _keep_slots(fit: Fit, wanted: Mapping[str, Tensor], prefix: str, kinds: tuple[str, ...], *, beside: bool) -> None:
    """What a slot has and a dense model has not: gains and what is beside the layers of a reducer; or all of it."""
    for index, kind in enumerate(kinds):
        block, layers = f"{prefix}{index}.", f"{prefix}{index}.layers."
        if not is_slot_kind(kind):
            continue
        for key in (key for key in wanted if key.startswith(block) and key not in fit.state):
            beside_layers = kind in REDUCERS and not key.startswith(layers)
            if beside_layers or key.endswith(GAINS) or _stays_new(kind, beside=beside):
                fit.new.append(key)
