"""Types and ranges of the training settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, get_args

from omegaconf import MISSING

from stvit_video.data.decode import BACKENDS
from stvit_video.data.frames import Cache
from stvit_video.data.multi_scale import BatchRule
from stvit_video.data.sampling import ShortVideo
from stvit_video.data.training_clips import Sampling
from stvit_video.data.transforms import CropMode, Interpolation
from stvit_video.sources import PATHS
from stvit_video.training.class_weights import BALANCED
from stvit_video.training.compiling import COMPILE_MODES
from stvit_video.training.distillation import DistillationKind
from stvit_video.training.freezing import TrainedPart
from stvit_video.training.optim import OptimizerName, Schedule
from stvit_video.training.processes import ACCELERATORS, STRATEGIES

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """What a setting may be.

    Args:
        kind: int, float (whole numbers too), bool or str.
        low: smallest allowed number.
        high: largest allowed number.
        above: whether `low` itself is excluded.
        below: whether `high` is.
        length: how many such values in a list, 0 = any number of them; None = one value and no list.
        optional: whether null is allowed.
        choices: the words that are allowed; empty = any.
        or_words: words that are allowed in place of a number, a list or true and false.
    """

    kind: type
    low: float = -inf
    high: float = inf
    above: bool = False
    below: bool = False
    length: int | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    or_words: tuple[str, ...] = ()

    def fault(self, value: Any) -> str | None:
        """What is wrong with `value`, in words; None = nothing."""
        if value is None:
            return None if self.optional else f"must be {self.words()}"
        if isinstance(value, str) and value in self.or_words:
            return None
        values = list(value) if self.length is not None and isinstance(value, (list, tuple)) else [value]
        as_list = isinstance(value, (list, tuple))
        fits = as_list == (self.length is not None) and (self.length == 0 or len(values) == (self.length or 1))
        return None if fits and all(self._fits(v) for v in values) else f"must be {self.words()}"

    def _fits(self, value: Any) -> bool:
        if self.kind in (bool, str):
            return isinstance(value, self.kind) and (not self.choices or value in self.choices)
        allowed = (int, float) if self.kind is float else (int,)
        if isinstance(value, bool) or not isinstance(value, allowed) or not isfinite(value):
            return False
        above = self.low < value if self.above else self.low <= value
        return above and (value < self.high if self.below else value <= self.high)

    def words(self) -> str:
        """The rule for a reader."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        names = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
        parts = [names[self.kind]] if self.length is None else [f"a list of {self.length} numbers"]
        parts = ["a list of numbers"] if self.length == 0 else parts
        if self.low > -inf:
            parts.append(f"{'above' if self.above else 'at least'} {self.low}")
        if self.high < inf:
            parts.append(f"{'below' if self.below else 'at most'} {self.high}")
        others = f", or {' or '.join(self.or_words)}" if self.or_words else ""
        return " ".join(parts[:1]) + (" " + " and ".join(parts[1:]) if parts[1:] else "") + others


PRECISIONS = (  # what Lightning takes, and auto
    *("auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true", "32", "bf16", "16", "64"),
    *("transformer-engine", "transformer-engine-float16"),
)
PROTOCOL_PARTS = ("name", "num_clips", "num_crops", "average")
COUNT = Rule(int, 1)
SHARE = Rule(float, 0, 1)
RULES = {
    "run": Rule(str, optional=True),
    "seed": Rule(int, 0, 2**32 - 1),
    "ckpt_path": Rule(str, optional=True),
    "init_from": Rule(str, optional=True),
    "init_head": Rule(str, choices=("new", "keep")),
    "model.name": Rule(str),
    "protocol.name": Rule(str, optional=True),
    "protocol.num_clips": Rule(int, 1, optional=True),
    "protocol.num_crops": Rule(int, 1, optional=True),
    "protocol.average": Rule(str, optional=True),
    **{f"data.{key}": Rule(str, optional=True) for key in ("root", *PATHS)},
    "data.source": Rule(str),
    "data.num_frames": COUNT,
    "data.frame_stride": COUNT,
    "data.short_side": COUNT,
    "data.crop_size": COUNT,
    "data.mean": Rule(float, length=3),
    "data.std": Rule(float, 0, above=True, length=3),
    "data.frame_difference": Rule(bool),
    "data.interpolation": Rule(str, choices=get_args(Interpolation)),
    "data.batch_size": COUNT,
    "data.val_batch_size": Rule(int, 1, optional=True),
    "data.multi_scale": Rule(int, 1, length=0, optional=True),
    "data.multi_scale_batch": Rule(str, choices=get_args(BatchRule)),
    "data.num_workers": Rule(int, 0),
    "data.cache": Rule(str, choices=get_args(Cache)),
    "data.cache_short_side": Rule(int, 1, optional=True),
    "data.cache_limit_gb": Rule(float, 0, above=True),
    "data.max_skipped_fraction": SHARE,
    "data.backend": Rule(str, choices=BACKENDS),
    "data.sampling": Rule(str, choices=get_args(Sampling)),
    "data.target_fps": Rule(float, 0, above=True, optional=True),
    "data.short_video": Rule(str, choices=get_args(ShortVideo)),
    "data.num_repeats": COUNT,
    "optim.lr": Rule(float, 0, above=True),
    "optim.lr_reference_batch": Rule(int, 1, optional=True),
    "optim.expected_batch": Rule(int, 1, optional=True),
    "optim.min_lr": Rule(float, 0),
    "optim.weight_decay": Rule(float, 0),
    "optim.betas": Rule(float, 0, 1, below=True, length=2),
    "optim.warmup_epochs": Rule(float, 0),
    "optim.warmup_lr": Rule(float, 0),
    "optim.optimizer": Rule(str, choices=get_args(OptimizerName)),
    "optim.momentum": Rule(float, 0, 1),
    "optim.nesterov": Rule(bool),
    "optim.schedule": Rule(str, choices=get_args(Schedule)),
    "optim.milestones": Rule(float, 0, above=True, length=0),
    "optim.milestone_factor": Rule(float, 0, 1, above=True),
    "optim.layer_decay": Rule(float, 0, 1, above=True, optional=True),
    "optim.backbone_lr_factor": Rule(float, 0, above=True),
    "optim.train": Rule(str, choices=get_args(TrainedPart)),
    "optim.ema_decay": Rule(float, 0, 1, above=True, optional=True),
    "optim.class_weights": Rule(float, 0, length=0, optional=True, or_words=(BALANCED,)),
    "optim.label_smoothing": SHARE,
    "distill.teacher": Rule(str, optional=True),
    "distill.weight": SHARE,
    "distill.temperature": Rule(float, 0, above=True),
    "distill.kind": Rule(str, choices=get_args(DistillationKind)),
    "augment.scale": Rule(float, 0, 1, above=True, length=2),
    "augment.ratio": Rule(float, 0, above=True, length=2),
    "augment.flip_probability": SHARE,
    "augment.crop": Rule(str, choices=get_args(CropMode)),
    "augment.short_side_jitter": Rule(int, 1, length=2, optional=True),
    "augment.colour_jitter": SHARE,
    "augment.hue_jitter": Rule(float, 0, 0.5),
    "augment.rand_augment": Rule(str, optional=True),
    "augment.erase_probability": SHARE,
    "augment.erase_count": COUNT,
    "augment.mixup_alpha": Rule(float, 0),
    "augment.cutmix_alpha": Rule(float, 0),
    "augment.mix_probability": SHARE,
    "augment.cutmix_share": SHARE,
    "augment.on_device": Rule(bool),
    "trainer.max_epochs": COUNT,
    "trainer.gradient_clip_val": Rule(float, 0, optional=True),
    "trainer.accumulate_grad_batches": COUNT,
    "trainer.compile": Rule(bool, or_words=COMPILE_MODES),
    "trainer.gradient_checkpointing": Rule(bool),
    "trainer.max_nonfinite_steps": COUNT,
    "trainer.check_val_every_n_epoch": COUNT,
    "trainer.log_every_n_steps": COUNT,
    "trainer.checkpoint_minutes": Rule(float, 0, above=True, optional=True),
    "trainer.num_nodes": COUNT,
    "trainer.accelerator": Rule(str, choices=ACCELERATORS),
    "trainer.strategy": Rule(str, choices=STRATEGIES),
    "trainer.sync_batchnorm": Rule(bool),
    "trainer.enable_progress_bar": Rule(bool),
}


def type_faults(settings: Settings) -> dict[str, str]:
    """A sentence for each setting that is missing, of a wrong type or out of its range, by its name.

    Args:
        settings: the resolved training configuration as plain values; a missing one is "???", as in OmegaConf.
    """
    faults = {name: f"{name} is missing; give it, for example {name}=/path" for name in _missing_names(settings)}
    for group in dict.fromkeys(key.partition(".")[0] for key in RULES if "." in key):
        if not isinstance(settings.get(group), Mapping):
            faults[group] = f"{group}={settings.get(group)!r} must be a group of settings, such as {group}.<name>=..."
    for key, rule in RULES.items():
        group, _, name = key.rpartition(".")
        if group in faults:
            continue
        value = (settings[group] if group else settings).get(name)
        fault = rule.fault(value)
        if fault and key not in faults:
            faults[key] = f"{key}={value!r} {fault}"
    return faults


def _missing_names(settings: Settings) -> list[str]:
    groups = {key: value for key, value in settings.items() if isinstance(value, Mapping)}
    alone = [key for key, value in settings.items() if value == MISSING]
    return [
        *alone,
        *(f"{group}.{key}" for group, of in groups.items() for key, value in of.items() if value == MISSING),
    ]


def chosen_protocol(settings: Settings) -> dict[str, Any]:
    """The `protocol` settings; where they name none, uniform, and for pictures single.

    Args:
        settings: the resolved training configuration as plain values.
    """
    protocol = settings["protocol"]
    usual = "single" if settings["data"]["source"] == "image_folder" else "uniform"
    return {key: protocol.get(key) for key in PROTOCOL_PARTS} | {"name": protocol.get("name") or usual}
