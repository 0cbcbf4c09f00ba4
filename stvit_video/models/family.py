"""What a family of models is: its builder, its sizes, the options of its names, its formats and its layers."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.format import Format

Options = Mapping[str, Any]
INPUTS: dict[str, dict[str, Any]] = {
    "": {"video": False, "num_classes": 1000},
    "video_": {"video": True, "num_classes": 400},
}
SLOTS: dict[str, dict[str, Any]] = {
    "": {},
    "stvit_": {"reducer": "semantic"},
    "stvit_r_": {"reducer": "semantic", "recover": True},
}


@dataclass(frozen=True, kw_only=True)
class LayerGroups:
    """Which parameters of a family stand before its blocks and which behind, and which blocks are special.

    The blocks themselves are found by `kinds`, which every module with `blocks` has.

    Args:
        first: beginnings of the names of parameters before all blocks: patch embedding, class token, positions.
        norms: beginnings of the names of the norms behind all blocks.
        heads: beginnings of the names of the classifiers.
        frame_kinds: kinds of blocks that see every frame by itself; the temporal position is added behind them.
        attention_free_kinds: kinds of blocks without attention. A dense level of such blocks has no weights for a
            generator, and the refine and recover blocks of a semantic one come beside its blocks, not in their place.
    """

    first: tuple[str, ...] = ()
    norms: tuple[str, ...] = ("norm.",)
    heads: tuple[str, ...] = ("head.",)
    frame_kinds: tuple[str, ...] = ()
    attention_free_kinds: tuple[str, ...] = ()

    def lacks_attention(self, kinds: tuple[str, ...]) -> bool:
        """Whether a level of blocks of these kinds has some without attention."""
        return any(kind in self.attention_free_kinds for kind in kinds)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of models: all that the names `[stvit_|stvit_r_][video_]<name>_<size>` need.

    Args:
        name: of the family, as its models have it.
        builder: function from keyword options to a model. It takes `video` and `num_classes` beside the options, and a
            docstring with an `Args:` section says what each option is.
        model: the class that the builder gives.
        sizes: for every size the options that set it, such as {"tiny": {"embed_dim": 192, "num_heads": 3}}.
        clip_options: options of the builder that have no meaning for images.
        image, video: more options of models for images, and of those for clips.
        semantic, recovery: more options of the `stvit_` models, and of the `stvit_r_` models.
        exceptions: more options of single models, by their whole names.
        formats: layouts of weights of other projects that `load_checkpoint` recognises.
        layers: which parameters and blocks play which part.
        adapt_state: changes a state dict of our keys before it is fitted to a model, or raises CheckpointError where
            the model would answer otherwise than the one it is from; called as `adapt_state(model, state, format_name,
            new_head)`. None = nothing to do.

    Raises:
        ValueError: a size with other characters than a-z and 0-9, an exception for a model that the family does not
            have, an option that the builder does not take, or one that has no value.
    """

    name: str
    builder: Callable[..., TokenModel]
    model: type[TokenModel]
    sizes: Mapping[str, Options]
    clip_options: tuple[str, ...] = ()
    image: Options = field(default_factory=dict)
    video: Options = field(default_factory=dict)
    semantic: Options = field(default_factory=dict)
    recovery: Options = field(default_factory=dict)
    exceptions: Mapping[str, Options] = field(default_factory=dict)
    formats: tuple[Format, ...] = ()
    layers: LayerGroups = LayerGroups()
    adapt_state: Callable[[Any, dict[str, Tensor], str, bool], dict[str, Tensor]] | None = None

    def __post_init__(self) -> None:
        for size in self.sizes:
            if not re.fullmatch("[a-z0-9]+", size):
                raise ValueError(f"family {self.name}: {size!r} is no size; write letters a-z and digits, as in 'tiny'")
        models = self.models()
        if unknown := sorted(set(self.exceptions) - set(models)):
            raise ValueError(f"family {self.name} has exceptions for {', '.join(unknown)}; it has {', '.join(models)}")
        for name, builder in models.items():
            self._check_options(name, builder)

    def _check_options(self, name: str, builder: partial[TokenModel]) -> None:
        """Raise unless the builder takes all options of a model, and each of its options has a value."""
        taken = inspect.signature(self.builder).parameters
        if unknown := sorted((set(builder.keywords) | set(self.clip_options)) - set(taken)):
            raise ValueError(f"family {self.name}: its builder does not take {', '.join(unknown)}")
        required = [option for option, p in taken.items() if p.default is p.empty]
        if missing := sorted(set(required) - set(builder.keywords)):
            raise ValueError(
                f"family {self.name}: {name} has no {', '.join(missing)}; give it in sizes or as the builder's default"
            )

    def models(self) -> dict[str, partial[TokenModel]]:
        """The builder of every model of the family by its name, dense image models first."""
        return {
            (name := f"{slot}{inputs}{self.name}_{size}"): partial(
                self.builder,
                **{
                    **SLOTS[slot],
                    **INPUTS[inputs],
                    **(self.video if inputs else self.image),
                    **{"": {}, "stvit_": self.semantic, "stvit_r_": self.recovery}[slot],
                    **options,
                    **self.exceptions.get(name, {}),
                },
            )
            for slot in SLOTS
            for inputs in INPUTS
            for size, options in self.sizes.items()
        }
