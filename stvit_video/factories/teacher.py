"""Build the teacher of a training: one of our checkpoints, or weights of others in the dense model of the student."""

from typing import Any

from stvit_video.factories.network import given_options
from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.load import load_checkpoint
from stvit_video.models.checkpoints.state_dict import CheckpointError, shorten
from stvit_video.models.registry import MODELS, build_model, dense_name, model_options
from stvit_video.settings.train_settings import ModelSettings

SLOT_OPTIONS = (  # of the few tokens, without a meaning for a dense model
    *("reducer", "recover", "generate_at", "elastic_generate_at", "num_tokens", "elastic", "token_stride"),
    *("token_window", "key_window", "center_window", "recover_window", "generate_shortcut", "global_centers"),
    *("layer_scale_init", "distillation"),
)


def dense_twin(model: ModelSettings) -> tuple[str, dict[str, Any]]:
    """Name and options of the dense model of the same family, size and input as a semantic one.

    Args:
        model: the `model` settings of the student; those of a dense model are their own twin.
    """
    name = dense_name(model.name)
    known = set(model_options(name)) - set(SLOT_OPTIONS) if name in MODELS else set()
    return name, {key: value for key, value in given_options(model).items() if key in known}


def foreign_teacher(path: str, model: ModelSettings, *, num_classes: int) -> TokenModel:
    """The dense twin of the student with weights of others, head included.

    The weights do not name their classes: the order of the logits is taken to be that of the training.

    Args:
        path: of the weights.
        model: the `model` settings of the student.
        num_classes: of the training.

    Raises:
        CheckpointError: the file can't be read, or holds weights of another model or of other classes.
    """
    name, options = dense_twin(model)
    teacher = build_model(name, **options, num_classes=num_classes)
    report = load_checkpoint(teacher, read_checkpoint(path))
    if report.new:
        raise CheckpointError(
            f"{path!r} lacks {shorten(report.new)} for the {num_classes} classes of this training in {name}, so it "
            f"can't teach; give weights that were fine-tuned on these classes, or leave distill.teacher out"
        )
    return teacher.eval()
