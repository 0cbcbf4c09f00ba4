"""The settings of a training, each declared once."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from stvit_video.settings.augment_settings import AugmentSettings
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.declare import MISSING, Count, Group, OpenGroup, Positive, Share, setting
from stvit_video.settings.optim_settings import OptimSettings
from stvit_video.settings.trainer_settings import TrainerSettings
from stvit_video.utils.addresses import Place
from stvit_video.utils.choices import Average, DistillationKind, TaskName

if TYPE_CHECKING:
    from typing_extensions import Self


class ModelSettings(OpenGroup):
    """The model to train; its options are declared by the signature of its builder in `models/<family>`."""

    name: str = setting(MISSING, "one of list_models(); model=NAME chooses it")


class ProtocolSettings(Group):
    """How the final evaluation, and later stvit_video.evaluate, look at a video."""

    name: str | None = setting(
        None, "null = uniform, for pictures single; or that of a project, for example videoswin, videomae, mvit"
    )
    num_clips: Count | None = setting(None, "clips of a video; null = as the protocol says (uniform: 4)")
    num_crops: Count | None = setting(None, "crops of a clip, 1 or 3; null = as the protocol says (uniform: 3)")
    average: Average | None = setting(
        None,
        "prob = softmax (several labels a video: sigmoid) of every view, then the mean; logit = mean of the logits; "
        "null = as the protocol says (uniform: prob)",
    )


class DistillSettings(Group):
    """Learn from a trained model too."""

    teacher: Place | None = setting(
        None,
        "a .ckpt file of stvit_video.train with the same classes and clips, such as a dense one; or weights of "
        "others, fine-tuned on the same classes in the same order, for the dense model of the same size",
    )
    weight: Share = setting(0.5, "of the teacher in the loss, the labels have the rest")
    temperature: Positive = setting(1.0, "of soft: both logits are divided by it")
    kind: DistillationKind = setting("soft", "soft: the teacher's probabilities; hard: the class that it decides for")


class TaskSettings(Group):
    """The settings of a training that all tasks have."""

    task: TaskName = setting("classification", "what is learned; task=NAME chooses it, with the settings of the task")
    run: str | None = setting(
        None,
        "name of the run: its folder is outputs/<run>, and the same command goes on there when it was stopped; null = "
        "a new run each time, in a folder named by the time",
    )
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = setting(0, "of weights, order, clips and augmentation")
    ckpt_path: Place | None = setting(
        None,
        "a checkpoint to go on from, in its own folder, with the same settings (trainer.max_epochs may grow)",
    )
    init_from: Place | None = setting(
        None,
        "a checkpoint of the same model, for other classes too: its weights, but for the head, are the start of this "
        "training",
    )
    init_head: Literal["new", "keep"] = setting(
        "new", "keep: the head of init_from is taken along, where the classes are the same"
    )
    report_checkpoint: Literal["best", "last"] = setting(
        "best",
        "what result.json is about: best (by validation accuracy or mAP) or last; last where the validation videos "
        "are also the test videos, because there the best is a choice made on the test",
    )
    model: ModelSettings = ModelSettings()
    data: ClipSettings = ClipSettings()
    optim: OptimSettings = OptimSettings()
    augment: AugmentSettings = AugmentSettings()
    trainer: TrainerSettings = TrainerSettings()

    def with_changes(self, **groups: Any) -> "Self":
        """A copy with other values of some settings or groups, which are not checked."""
        return self.model_copy(update=groups)


class TrainSettings(TaskSettings):
    """All settings of stvit_video.train for task=classification."""

    protocol: ProtocolSettings = ProtocolSettings()
    distill: DistillSettings = DistillSettings()
