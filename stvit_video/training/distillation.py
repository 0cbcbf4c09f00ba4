"""Learning from a trained model: a dense teacher, for example, for a student of few tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.models.checkpoints.load import model_from_checkpoint
from stvit_video.utils.choices import DistillationKind
from stvit_video.utils.label_text import same_labels

CLIP_SETTINGS = (  # what a clip is
    "num_frames",
    "frame_stride",
    "crop_size",
    "mean",
    "std",
    "frame_difference",
    "static_clip",
)


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """How much a student learns from its teacher, and what.

    Attributes:
        weight: share of the teacher's part in the loss, the labels have the rest.
        temperature: by which the logits of both are divided; for "soft" alone.
        kind: "soft" = the teacher's probabilities; "hard" = what it decides for.
    """

    weight: float = 0.5
    temperature: float = 1.0
    kind: DistillationKind = "soft"

    def loss(self, student: Tensor, teacher: Tensor, *, multi_label: bool = False) -> Tensor:
        """The teacher's part of the loss, a mean over the clips; 0 where a student says the same as a soft teacher.

        Args:
            student: logits (B, num_classes).
            teacher: logits (B, num_classes), without gradient.
            multi_label: whether each logit has a probability of its own (sigmoid), not all together (softmax).

        Source: Hinton et al. 2015 (arXiv:1503.02531) for "soft", with its factor of temperature^2 that keeps the size
            of the gradients; Touvron et al. 2021 (DeiT, arXiv:2012.12877), section 4, for "hard".
        """
        if self.kind == "hard":
            if multi_label:
                return F.binary_cross_entropy_with_logits(student, (teacher > 0).to(student.dtype))
            return F.cross_entropy(student, teacher.argmax(-1))
        student, teacher = student / self.temperature, teacher / self.temperature
        if multi_label:
            wanted = teacher.sigmoid()
            least = F.binary_cross_entropy_with_logits(teacher, wanted)
            return self.temperature**2 * (F.binary_cross_entropy_with_logits(student, wanted) - least)
        divergence = F.kl_div(student.log_softmax(-1), teacher.log_softmax(-1), reduction="batchmean", log_target=True)
        return self.temperature**2 * divergence


class Teacher:
    """A trained model that is asked and never changed; no part of the student's module, so no checkpoint holds it.

    Args:
        model: (B, C, T, H, W) -> logits (B, num_classes).
        distillation: what is done with its answers.
    """

    def __init__(self, model: nn.Module, distillation: Distillation) -> None:
        self.model = model.eval().requires_grad_(False)
        self.distillation = distillation

    def __deepcopy__(self, memo: dict[int, Any]) -> "Teacher":
        """The same: copies of the student (of its average) have no teacher of their own."""
        return self

    def logits(self, clips: Tensor) -> Tensor:
        """Logits (B, num_classes) float32 of clips, on their device and in their type, without gradient."""
        weight = next(self.model.parameters())
        if (weight.device, weight.dtype) != (clips.device, clips.dtype):
            self.model.to(device=clips.device, dtype=clips.dtype)
        with torch.no_grad():
            return self.model(clips).float()


def load_teacher(
    path: str,
    distillation: Distillation,
    *,
    classes: tuple[str, ...],
    multi_label: bool,
    preprocessing: Preprocessing,
) -> Teacher:
    """The teacher out of a checkpoint of ours.

    Args:
        path: of the .ckpt file.
        distillation: what is done with its answers.
        classes: of the student, in the order of its logits.
        multi_label: whether the student's videos can have several labels.
        preprocessing: of the student's clips, which the teacher sees as well.

    Raises:
        CheckpointError: the file can't be read, or is none of ours.
        ValueError: the teacher knows other classes, or other clips.
    """
    model, metadata = model_from_checkpoint(path)
    difference = teacher_difference(metadata, classes=classes, multi_label=multi_label, preprocessing=preprocessing)
    if difference:
        raise ValueError(
            f"distill.teacher={path!r} can't teach here: {difference}; train one on the same data settings"
        )
    return Teacher(model, distillation)


def teacher_difference(
    metadata: Mapping[str, Any], *, classes: tuple[str, ...], multi_label: bool, preprocessing: Preprocessing
) -> str:
    """The first thing that a teacher's metadata and the student's data disagree about; "" = nothing."""
    if metadata["multi_label"] != multi_label:
        kinds = {False: "one label a video", True: "several labels a video"}
        return f"it is for {kinds[metadata['multi_label']]}, this training for {kinds[multi_label]}"
    if not same_labels(metadata["classes"], classes):
        return (
            f"it has the {len(metadata['classes'])} classes {_first(metadata['classes'])}, this training the "
            f"{len(classes)} classes {_first(classes)}"
        )
    then, now = Preprocessing.from_dict(metadata["preprocessing"]).to_dict(), preprocessing.to_dict()
    for key in CLIP_SETTINGS:
        if then[key] != now[key]:
            return f"it was trained with data.{key}={then[key]}, this training has {now[key]}"
    return ""


def _first(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
