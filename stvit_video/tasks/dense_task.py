"""What the tasks of detectors and segmenters answer alike."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from lightning.pytorch import Callback

from stvit_video.config.dense_consistency import LAYOUTS_OF, DenseKind
from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.setting_checks import faults_of
from stvit_video.dense.dense_model import DenseModel
from stvit_video.factories.dense_parts import meta_dense
from stvit_video.factories.layout_settings import other_layouts_settings
from stvit_video.factories.manifests import absolute_paths, find_manifest
from stvit_video.factories.training import build_weight_callbacks
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.dense_settings import DenseSettings
from stvit_video.settings.reading import Read
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.tasks.dense_report import DenseReport
from stvit_video.training.callbacks.skipped_videos import SkippedVideos

__all__ = ["DenseTask"]

S = TypeVar("S", bound=DenseSettings)


class DenseTask(Generic[S]):
    """Half of a `Task`: all that needs to know no more than what the models find.

    Attributes:
        settings: see `Task`.
        kind: of the models.
        report_kind: what an evaluation leaves behind.
    """

    settings: type[TaskSettings]
    kind: DenseKind
    report_kind: DenseReport[Any, Any, Any]

    def read(self, values: Mapping[str, Any]) -> Read[Any]:
        """See `Task`."""
        return read_with_layout(self.settings, values)

    def parts(self, settings: S) -> None:
        """See `Task`; none are kept."""

    def place_faults(self, settings: S, wrong: Collection[str]) -> list[str]:
        """See `Task`."""
        known = settings.data.source in LAYOUTS_OF[self.kind.finds]
        if not known or any(name.partition(".")[0] == "data" for name in wrong):
            return []
        plain = settings.data.plain()
        plain = {name: value for name, value in plain.items() if name not in other_layouts_settings(plain)}
        return [fault for part in ("train", "val") for fault in faults_of(partial(find_manifest, plain, part))]

    def complete(self, settings: S) -> S:
        """See `Task`."""
        return settings.with_changes(data=ClipSettings.model_construct(**absolute_paths(dict(settings.data))))

    def meta_model(self, settings: S) -> DenseModel:
        """See `Task`."""
        return meta_dense(settings)

    def modern(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """See `Task`."""
        return dict(metadata)

    def callbacks(self, settings: S, run_dir: Path, data: Any) -> Sequence[Callback]:
        """See `Task`."""
        return [*build_weight_callbacks(settings), SkippedVideos(run_dir, data.train_manifest, kind="picture")]

    def report(self, run_dir: Path, settings: S, data: Any, training: Mapping[str, Any]) -> dict[str, Any]:
        """See `Task`."""
        return self.report_kind.report_run(
            run_dir,
            checkpoint=settings.report_checkpoint,
            pictures=data.val_manifest,
            batch_size=settings.data.val_batch_size or settings.data.batch_size,
            num_workers=settings.data.num_workers,
            training=training,
        )
