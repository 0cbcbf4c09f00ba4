"""Words that settings and the parts they reach share: one alias for each setting that takes a few words.

A setting in `stvit_video.settings` and the part that acts on it both name the alias, so that no list of words stands
twice. A new word is added here, and where the part acts on it.
"""

from typing import Any, Literal, get_args

Accelerator = Literal["auto", "cpu", "gpu", "cuda", "mps"]
Average = Literal["prob", "logit"]
Backend = Literal["auto", "decord", "pyav", "torchcodec", "isolated"]
BatchRule = Literal["constant_pixels", "at_least", "fixed"]
Cache = Literal["none", "memory"]
CompileMode = Literal["default", "reduce-overhead", "max-autotune"]
CropMode = Literal["random_resized", "random", "centre"]
DistillationKind = Literal["soft", "hard"]
EvaluationPrecision = Literal["32", "bf16", "16"]
Frames = Literal["all", "some"]
HeadRuleName = Literal["ours", "mmdet", "torchvision", "mmseg"]
Interpolation = Literal["bilinear", "bicubic"]
LabelAt = Literal["end", "centre"]
OptimizerName = Literal["adamw", "sgd"]
Precision = Literal[  # what Lightning takes, and auto
    "auto",
    "32-true",
    "bf16-mixed",
    "16-mixed",
    "bf16-true",
    "16-true",
    "64-true",
    "32",
    "bf16",
    "16",
    "64",
    "transformer-engine",
    "transformer-engine-float16",
]
Sampling = Literal["dense", "segments"]
Schedule = Literal["cosine", "constant", "step", "poly"]
SequenceRule = Literal["listed", "folders"]
ShortVideo = Literal["repeat_last", "loop", "error"]
Smoothing = Literal["mean", "ema"]
StaticClip = Literal["none", "single_frame", "mean_frame"]
Strategy = Literal["auto", "ddp", "ddp_find_unused_parameters_true", "fsdp"]
TaskName = Literal["classification", "detection", "instance", "semantic"]
TrainedPart = Literal["all", "head", "semantic"]


def words_of(alias: Any) -> tuple[str, ...]:
    """The words of an alias of this file, in order."""
    return get_args(alias)
