"""The task of semantic segmentation: every pixel of a picture gets a label."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from stvit_video.config.dense_consistency import MAPS
from stvit_video.config.segmentation_consistency import segmentation_faults
from stvit_video.config.setting_checks import faults_of, run_checks
from stvit_video.data.loading.map_datamodule import MapDataModule
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.factories.map_data import build_map_sizes, build_map_transform
from stvit_video.factories.segmentation_parts import build_segmentation
from stvit_video.models.segmenter_card import segmenter_card
from stvit_video.segmentations.draw_segments import draw_segments
from stvit_video.segmentations.trained_segmenter import segmenter_from_checkpoint
from stvit_video.settings.segmentation_settings import SegmentationSettings
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.tasks.dense_task import DenseTask
from stvit_video.tasks.segmenter_evaluation import evaluate_segmentation
from stvit_video.tasks.segmenter_report import SegmenterReport
from stvit_video.training.segmentation_module import SegmentationModule
from stvit_video.utils.command_line import Given


class SemanticSegmentation(DenseTask[SegmentationSettings]):
    """A `Task`."""

    settings: type[TaskSettings] = SegmentationSettings
    report_kind = SegmenterReport()
    kind = MAPS

    def faults(self, settings: SegmentationSettings, wrong: Collection[str], parts: None) -> list[str]:
        """See `Task`."""
        checks = (
            lambda given: faults_of(lambda: build_map_sizes(given.data), name="data"),
            lambda given: faults_of(lambda: build_map_transform(given), name="augment"),
        )
        return [*segmentation_faults(settings, wrong), *run_checks(checks, settings, wrong)]

    def build(
        self, settings: SegmentationSettings, parts: None, *, kept: KeptSplit | None = None
    ) -> tuple[SegmentationModule, MapDataModule]:
        """See `Task`."""
        return build_segmentation(settings)

    def evaluate(self, values: Mapping[str, Any], output_dir: Path) -> dict[str, Any]:
        """See `Task`."""
        return evaluate_segmentation(values, output_dir=output_dir)

    def load(self, path: Path) -> tuple[nn.Module, dict[str, Any]]:
        """See `Task`."""
        return segmenter_from_checkpoint(path)

    def card(
        self, metadata: Mapping[str, Any], *, result: Mapping[str, Any] | None, checkpoint: str, num_parameters: int
    ) -> str:
        """See `Task`."""
        return segmenter_card(
            metadata, result=result, checkpoint=checkpoint, num_parameters=num_parameters, unused=self.kind.unused
        )

    def predict(self, given: Given) -> int:
        """See `Task`."""
        return draw_segments(given)
