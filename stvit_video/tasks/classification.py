"""The task of classification: a video or picture gets one label, or several."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from stvit_video.config.consistency import chosen_protocol, contradictions
from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.setting_checks import Check, faults_of, run_checks
from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, LAYOUTS
from stvit_video.data.loading.datamodule import VideoDataModule
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.factories.data import ClipParts
from stvit_video.factories.layout_settings import layout_settings, other_layouts_settings
from stvit_video.factories.manifests import absolute_paths, find_manifest
from stvit_video.factories.network import meta_model
from stvit_video.factories.training import build_module, build_weight_callbacks
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.load import format_of, model_from_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata
from stvit_video.models.model_card import model_card
from stvit_video.predictions.label_run import label_videos
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.reading import Read
from stvit_video.settings.train_settings import ProtocolSettings, TaskSettings, TrainSettings
from stvit_video.tasks.evaluation_settings import read_evaluation
from stvit_video.tasks.stream_choices import require_one_kind
from stvit_video.tasks.stream_evaluation import evaluate_streams
from stvit_video.tasks.video_evaluation import evaluate_videos
from stvit_video.tasks.video_report import report_training
from stvit_video.training.callbacks.skipped_videos import SkippedVideos
from stvit_video.training.distillation import teacher_difference
from stvit_video.training.freezing import freeze_all_but
from stvit_video.training.module import ClassificationModule
from stvit_video.utils.command_line import Given


class Classification:
    """A `Task`."""

    settings: type[TaskSettings] = TrainSettings

    def read(self, values: Mapping[str, Any]) -> Read[TrainSettings]:
        """See `Task`."""
        return read_with_layout(TrainSettings, values)

    def parts(self, settings: TrainSettings) -> ClipParts:
        """See `Task`."""
        return ClipParts(settings)

    def faults(self, settings: TrainSettings, wrong: Collection[str], parts: ClipParts) -> list[str]:
        """See `Task`."""
        return [*contradictions(settings, wrong), *run_checks(_checks(parts), settings, wrong)]

    def place_faults(self, settings: TrainSettings, wrong: Collection[str]) -> list[str]:
        """See `Task`."""
        if not _finds_places(settings, wrong):
            return []
        plain = settings.data.plain()
        if plain["source"] in LAYOUTS:  # another check tells of settings that are of other layouts
            plain = {name: value for name, value in plain.items() if name not in other_layouts_settings(plain)}
        return [fault for part in ("train", "val") for fault in faults_of(partial(find_manifest, plain, part))]

    def complete(self, settings: TrainSettings) -> TrainSettings:
        """See `Task`."""
        return settings.with_changes(
            data=ClipSettings.model_construct(**absolute_paths(dict(settings.data))),
            protocol=ProtocolSettings(**asdict(TestProtocol.named(**chosen_protocol(settings)))),
        )

    def meta_model(self, settings: TrainSettings) -> TokenModel:
        """See `Task`."""
        model = meta_model(settings.model)
        freeze_all_but(model, settings.optim.train)
        return model

    def build(
        self, settings: TrainSettings, parts: ClipParts, *, kept: KeptSplit | None = None
    ) -> tuple[ClassificationModule, VideoDataModule]:
        """See `Task`."""
        if settings.data.source in BOX_LAYOUTS:
            rank_zero_only(print)(
                "task=classification: the labels of a picture are the classes of its objects, several a picture, and "
                "no boxes are learned; a detector is trained with task=detection",
                flush=True,
            )
        return build_module(settings, parts, kept=kept)

    def modern(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """See `Task`."""
        if not isinstance(metadata.get("preprocessing"), dict):
            return dict(metadata)
        return {**metadata, "preprocessing": Preprocessing.from_dict(metadata["preprocessing"]).to_dict()}

    def callbacks(self, settings: TrainSettings, run_dir: Path, data: VideoDataModule) -> Sequence[Callback]:
        """See `Task`."""
        return [*build_weight_callbacks(settings), SkippedVideos(run_dir, data.train_manifest)]

    def evaluate(self, values: Mapping[str, Any], output_dir: Path) -> dict[str, Any]:
        """See `Task`."""
        settings = read_evaluation(EvaluateSettings, values)
        require_one_kind(settings)
        return (evaluate_streams if settings.stream else evaluate_videos)(settings, output_dir=output_dir)

    def load(self, path: Path) -> tuple[nn.Module, dict[str, Any]]:
        """See `Task`."""
        return model_from_checkpoint(path)

    def card(
        self, metadata: Mapping[str, Any], *, result: Mapping[str, Any] | None, checkpoint: str, num_parameters: int
    ) -> str:
        """See `Task`."""
        return model_card(metadata, result=result, checkpoint=checkpoint, num_parameters=num_parameters)

    def predict(self, given: Given) -> int:
        """See `Task`."""
        return label_videos(given)

    def report(
        self, run_dir: Path, settings: TrainSettings, data: VideoDataModule, training: Mapping[str, Any]
    ) -> dict[str, Any]:
        """See `Task`."""
        return report_training(
            run_dir,
            checkpoint=settings.report_checkpoint,
            val_manifest=data.val_manifest,
            num_workers=settings.data.num_workers,
            backend=settings.data.backend,
            time_limit_seconds=settings.data.time_limit_seconds,
            training=training,
        )


def _checks(clips: ClipParts) -> list[Check]:
    """The checks of single settings and files; those of parts build the part, which refuses wrong settings."""
    return [
        lambda given: faults_of(lambda: TestProtocol.named(**chosen_protocol(given)), name="protocol"),
        lambda _: faults_of(lambda: clips.train_transform),
        lambda _: faults_of(lambda: clips.sampling),
        lambda _: faults_of(lambda: clips.mixing),
        lambda given: _teacher_faults(given, clips),
    ]


def _finds_places(settings: TrainSettings, wrong: Collection[str]) -> bool:
    """Whether nothing is wrong with the settings by which lists and videos are found."""
    own = layout_settings(settings.data.source).model_fields if settings.data.source in LAYOUTS else {}
    unknown = {name for name in wrong if name.startswith("data.") and name[5:] not in ClipSettings.model_fields}
    return {"data", "data.source", *(f"data.{name}" for name in own), *unknown}.isdisjoint(wrong)


def _teacher_faults(settings: TrainSettings, clips: ClipParts) -> list[str]:
    path = settings.distill.teacher
    if not path:
        return []

    def look() -> None:
        content = peek_checkpoint(path)
        if format_of(content) is not None:
            return  # weights of others, which name neither classes nor clips
        metadata = check_metadata(content.get(METADATA_KEY), source=repr(path))
        classes, several = tuple(metadata["classes"]), metadata["multi_label"]  # the data's are unknown as yet
        sizes = clips.preprocessing
        difference = teacher_difference(metadata, classes=classes, multi_label=several, preprocessing=sizes)
        if difference:
            raise ValueError(f"{path!r} can't teach here: {difference}; train one on the same data settings")

    return faults_of(look, name="distill.teacher")
