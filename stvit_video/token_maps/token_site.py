"""The place in a model where its tokens are looked at: what they are there, and logits of any tokens put there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import torch
from torch import Tensor, nn

from stvit_video.layers.numbers import whole_number
from stvit_video.models.activation_checkpointing import run_block
from stvit_video.models.base import TokenModel
from stvit_video.models.build_blocks import Level, in_order, run_blocks
from stvit_video.models.casvit.blocks import on_frames
from stvit_video.models.casvit.model import CasViT
from stvit_video.models.deit.model import DeiT
from stvit_video.models.swin.model import Swin
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.token_reducer import TokenReducer

__all__ = ["ALONE", "SeenTokens", "TokenSite", "token_site"]

Hook = Callable[[nn.Module, Any, Any], Any]
ALONE = "replaced by zeros, as there is no other"
LEFT_OUT = "left out of all later layers"
REPLACED = "replaced by the mean of the other tokens, as later layers need a whole grid"


@dataclass(frozen=True, eq=False)
class SeenTokens:
    """The tokens of one clip.

    Attributes:
        clip: (1, in_channels, [T,] H, W), that they are of.
        tokens: (1, *sizes, C) on their grid: what a reducer left, or the image tokens of a dense model.
        image_tokens: (1, *grid, C), what the reducer took; of a dense model `tokens`.
        class_tokens: (1, M, C), M may be 0.
    """

    clip: Tensor
    tokens: Tensor
    image_tokens: Tensor
    class_tokens: Tensor


class TokenSite:
    """The place of tokens in a model of any family: behind its last reducer, in a dense model behind a block.

    This class knows nothing of the model but the module that gives the tokens, and runs all of it again for other
    tokens; families that it knows run the layers behind alone.

    Attributes:
        can_leave_out: whether `logits` takes fewer tokens than there are.

    Args:
        model: in eval mode.
        parts: its modules with blocks by a plan, in order.
        place: of the block that gives the tokens: the number of its part, and where in the order of that part.
    """

    can_leave_out = False

    def __init__(self, model: TokenModel, parts: Sequence[Any], place: tuple[int, int]) -> None:
        self.model = model
        self.parts = parts
        self.place = place
        part = parts[place[0]]
        self.block: nn.Module = part.blocks[part.order[place[1]][0]]
        self.later = part.order[place[1] + 1 :]  # of the same part

    @property
    def is_semantic(self) -> bool:
        """Whether a reducer gives the tokens."""
        return isinstance(self.block, TokenReducer)

    @property
    def is_recovered(self) -> bool:
        """Whether image tokens come back behind the tokens (docs/develop/design.md, "Refine, local and recover")."""
        return self.is_semantic and any(kind == "recover" for _, kind in self.later)

    @property
    def words(self) -> str:
        """Where the tokens are, such as "generated after 2 of 6 blocks"."""
        part = self.parts[self.place[0]]
        layers = [max(REDUCERS[kind].num_layers, 1) if kind in REDUCERS else 1 for _, kind in part.order]
        before = sum(layers[: self.place[1] + (not self.is_semantic)])
        level = f" of level {self.place[0] + 1}" if len(self.parts) > 1 else ""
        made = "generated" if self.is_semantic else "image tokens"
        return f"{made} after {before} of {sum(layers)} blocks{level}"

    @property
    def left_out(self) -> str:
        """How a token is left out, in words; ALONE where it is the only one."""
        return LEFT_OUT if self.can_leave_out else REPLACED

    @torch.inference_mode(mode=False)
    @torch.no_grad()
    def see(self, clip: Tensor) -> SeenTokens:
        """The tokens of a clip (1, in_channels, T, H, W) or image (1, in_channels, [1,] H, W)."""
        found = list[tuple[Tensor, Tensor]]()
        with _hooked(self.block, lambda _, inputs, output: found.append((inputs[0], output))):
            self.model.forward_features(clip)
        image_tokens, tokens = found[-1]
        nothing = tokens.flatten(1, -2)[:, :0]  # (1, 0, C)
        return SeenTokens(clip, tokens, image_tokens if self.is_semantic else tokens, nothing)

    def logits(self, tokens: Tensor, seen: SeenTokens) -> Tensor:
        """Logits of other tokens in the place of those that were seen.

        Args:
            tokens: (n, K, C), n sets of them; fewer than K where `can_leave_out`.
            seen: of the clip, which has the rest of what the layers behind take.

        Returns:
            (n, num_classes).
        """
        put = tokens.unflatten(1, seen.tokens.shape[1:-1])
        clips = seen.clip.expand(len(tokens), *seen.clip.shape[1:])
        with _hooked(self.block, lambda *_: put):
            return self.model.forward_head(self.model.forward_features(clips))

    def _run_later(self, x: Tensor, seen: SeenTokens) -> Tensor:
        """The blocks behind, in the same part: (n, *sizes, C) -> (n, *sizes, C)."""
        blocks, kinds = in_order(self.parts[self.place[0]].blocks, self.later)
        if not isinstance(self.block, TokenReducer):
            return run_blocks(blocks, kinds, x)
        image_tokens = seen.image_tokens.expand(len(x), *seen.image_tokens.shape[1:])
        in_window = self.block.window_tokens(tuple(image_tokens.shape[1:-1]))
        return run_blocks(blocks, kinds, x, taken=(image_tokens, in_window))


class PlainSite(TokenSite):
    """Tokens of a DeiT, whose later blocks run among any number of them."""

    can_leave_out = True

    @torch.inference_mode(mode=False)
    @torch.no_grad()
    def see(self, clip: Tensor) -> SeenTokens:
        """See `TokenSite.see`; of a dense model the class tokens stand apart."""
        if self.is_semantic:
            return super().see(clip)
        model, found = cast(DeiT, self.model), list[Tensor]()
        patch = model.patch_embed.patch_size
        clip = clip if clip.ndim == len(patch) + 2 else clip.squeeze(2)
        if self.later:  # what goes into the next block has the temporal position as well
            hooked = _hooked(model.blocks[self.later[0][0]], lambda _, inputs, output: found.append(inputs[0]))
        else:
            hooked = _hooked(self.block, lambda _, inputs, output: found.append(output))
        with hooked:
            model.forward_features(clip)
        grid = [size // cells for size, cells in zip(clip.shape[2:], patch, strict=True)]
        tokens = found[-1]  # (1, M + N, C)
        class_tokens, tokens = tokens.tensor_split([tokens.shape[1] - prod(grid)], dim=1)
        tokens = tokens.unflatten(1, grid)
        return SeenTokens(clip, tokens, tokens, class_tokens)

    def logits(self, tokens: Tensor, seen: SeenTokens) -> Tensor:
        """See `TokenSite.logits`."""
        model = cast(DeiT, self.model)
        if self.is_semantic:
            x = self._run_later(tokens, seen).flatten(1, -2)
        else:
            x = torch.cat([seen.class_tokens.expand(len(tokens), -1, -1), tokens], dim=1)
            for block in in_order(model.blocks, self.later)[0]:
                x = run_block(block, x)
        x = x if model.norm_after_pool else model.norm(x)
        return model.forward_head(model.features_of_tokens(x, seen.class_tokens.shape[1]))


class PyramidSite(TokenSite):
    """Tokens of a Swin or a CAS-ViT, whose later levels need a whole grid."""

    def logits(self, tokens: Tensor, seen: SeenTokens) -> Tensor:
        """See `TokenSite.logits`."""
        model = cast("Swin | CasViT", self.model)
        x = self._run_later(tokens.unflatten(1, seen.tokens.shape[1:-1]), seen)
        for level in self.parts[self.place[0] + 1 :]:
            x = cast(Level, level)(x)
        normed = model.norm(x) if isinstance(model, Swin) else on_frames(model.norm, x)
        return model.forward_head(normed.flatten(1, -2).mean(1))


def token_site(model: TokenModel, *, layer: int | None = None) -> TokenSite:
    """The place where the tokens of a model are looked at.

    Args:
        model: in eval mode.
        layer: of a dense model, blocks before the place, those of all levels counted; None = `default_layer`.

    Raises:
        ValueError: a layer of a model whose tokens are generated, or one that there isn't; or a dense model of a family
            that isn't known here.
    """
    parts = _parts(model)
    reducers = model.reducers()
    if reducers and layer is not None:
        raise ValueError(f"layer={layer!r} is for dense models, and this one generates its tokens; leave layer out")
    kind: type[TokenSite] = TokenSite
    if isinstance(model, (DeiT, Swin, CasViT)):
        kind = PlainSite if isinstance(model, DeiT) else PyramidSite
    if reducers:
        return kind(model, parts, _place_of(reducers[-1], parts))
    if kind is TokenSite:
        raise ValueError(f"the image tokens of a dense {type(model).__name__} can't be told apart; use a stvit_ model")
    return kind(model, parts, _dense_place(model, parts, layer))


def default_layer(model: TokenModel) -> int:
    """Blocks before the place where a dense model is looked at, where nobody says otherwise: two thirds of all.

    In the dense model of the quickstart the occlusions of cells that show the moving shape were 3.8 times as large as
    their area says after 4 of 6 blocks, and 3.3 times after 5 (30 clips). Contributions agree with occlusions alike:
    their correlation over the cells of a clip was 0.59 and 0.60 (mean of 20 clips, by
    scripts/contribution_agreement.py).
    """
    allowed, depth = allowed_layers(model), _depth(model)
    return min(max(allowed.start, round(2 / 3 * depth)), allowed.stop - 1)


def allowed_layers(model: TokenModel) -> range:
    """The layers behind which a dense model can be looked at.

    Blocks of a DeiT for clips that see one frame at a time keep tokens of one frame together, so that none of them is
    left out behind these. Behind the last block of a model with class tokens, those alone are classified, and no image
    token does anything for a label.
    """
    last = _depth(model) - (isinstance(model, DeiT) and model.num_class_tokens > 0)
    frame_blocks = model.num_frame_blocks if isinstance(model, DeiT) and len(model.grid.sizes) == 3 else 0
    return range(max(frame_blocks, 1), last + 1)


def _depth(model: nn.Module) -> int:
    """Blocks of all parts."""
    return sum(len(part.order) for part in _parts(model))


def _parts(model: nn.Module) -> list[Any]:
    """The modules of a model with blocks by a plan, in order."""
    return [module for module in model.modules() if isinstance(getattr(module, "kinds", None), tuple)]


def _dense_place(model: TokenModel, parts: Sequence[Any], layer: int | None) -> tuple[int, int]:
    allowed = allowed_layers(model)
    if not allowed:
        raise ValueError(
            f"the image tokens of this model can't be looked at: behind its {_depth(model)} blocks the class tokens "
            "alone are classified; use a model with more blocks, or pool='mean'"
        )
    chosen = default_layer(model) if layer is None else whole_number("layer", layer)
    if chosen not in allowed:
        raise ValueError(
            f"layer={layer} is none where this model's image tokens do something for a label; give {_span(allowed)}, "
            "the number of blocks before"
        )
    places = [(number, at) for number, part in enumerate(parts) for at in range(len(part.order))]
    return places[chosen - 1]


def _span(allowed: range) -> str:
    return str(allowed[0]) if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"


def _place_of(reducer: nn.Module, parts: Sequence[Any]) -> tuple[int, int]:
    for number, part in enumerate(parts):
        for at, (index, _) in enumerate(part.order):
            if part.blocks[index] is reducer:
                return number, at
    raise AssertionError("a reducer is a block of a plan")


@contextmanager
def _hooked(module: nn.Module, hook: Hook) -> Iterator[None]:
    """Call `hook` with what goes into a module and comes out of it; what it gives, if anything, takes its place."""
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
