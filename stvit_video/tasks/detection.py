"""The tasks of detection, boxes around the objects of pictures, and of instance segmentation, their masks, too."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from stvit_video.config.dense_consistency import BOXES
from stvit_video.config.detection_consistency import detection_faults
from stvit_video.config.setting_checks import faults_of, run_checks
from stvit_video.data.loading.picture_datamodule import PictureDataModule
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.detections.draw_objects import draw_objects
from stvit_video.detections.trained_detector import detector_from_checkpoint
from stvit_video.factories.detection_parts import build_detection
from stvit_video.factories.picture_data import build_detection_transform, build_picture_sizes
from stvit_video.models.detector_card import detector_card
from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.tasks.dense_task import DenseTask
from stvit_video.tasks.detector_evaluation import evaluate_detections
from stvit_video.tasks.detector_report import DetectorReport
from stvit_video.training.detection_module import DetectionModule
from stvit_video.utils.command_line import Given


class Detection(DenseTask[DetectionSettings]):
    """A `Task`; the settings say whether masks are scored."""

    settings: type[TaskSettings] = DetectionSettings
    report_kind = DetectorReport()
    kind = BOXES

    def faults(self, settings: DetectionSettings, wrong: Collection[str], parts: None) -> list[str]:
        """See `Task`."""
        checks = (
            lambda given: faults_of(lambda: build_picture_sizes(given.data), name="data"),
            lambda given: faults_of(lambda: build_detection_transform(given), name="augment"),
        )
        return [*detection_faults(settings, wrong), *run_checks(checks, settings, wrong)]

    def build(
        self, settings: DetectionSettings, parts: None, *, kept: KeptSplit | None = None
    ) -> tuple[DetectionModule, PictureDataModule]:
        """See `Task`."""
        return build_detection(settings)

    def evaluate(self, values: Mapping[str, Any], output_dir: Path) -> dict[str, Any]:
        """See `Task`."""
        return evaluate_detections(values, output_dir=output_dir)

    def load(self, path: Path) -> tuple[nn.Module, dict[str, Any]]:
        """See `Task`."""
        return detector_from_checkpoint(path)

    def card(
        self, metadata: Mapping[str, Any], *, result: Mapping[str, Any] | None, checkpoint: str, num_parameters: int
    ) -> str:
        """See `Task`."""
        return detector_card(
            metadata, result=result, checkpoint=checkpoint, num_parameters=num_parameters, unused=self.kind.unused
        )

    def predict(self, given: Given) -> int:
        """See `Task`."""
        return draw_objects(given)
