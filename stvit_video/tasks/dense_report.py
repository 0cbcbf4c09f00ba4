"""What an evaluation of a detector or segmenter leaves behind; the files that both write, and the way to them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from stvit_video.detections.trained_detector import TrainedDetector
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.pages.confusion_part import Confusion
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter
from stvit_video.tasks.picture_report import draw_curves, finish_report, gather_results, require_some
from stvit_video.utils.provenance import provenance

__all__ = ["DenseReport", "Scored"]

M = TypeVar("M", TrainedDetector, TrainedSegmenter)
P = TypeVar("P")  # the list of pictures with their truth
R = TypeVar("R", DetectionResults, SegmentationResults)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one kind of model adds to the report.

    Attributes:
        scores: for result.json, with the task.
        cost: likewise.
        line: the result in one line.
        notes: sentences below it; empty and doubled ones are passed over.
        confusion: which classes were taken for which; None = the task doesn't tell.
    """

    scores: Mapping[str, Any]
    cost: Mapping[str, Any]
    line: str
    notes: Sequence[str]
    confusion: Confusion | None = None


class DenseReport(ABC, Generic[M, P, R]):
    """Scores models of one kind and writes their report.

    Attributes:
        model_kind: the key of result.json that describes the model.
        files: what `write` may leave beside result.json.
    """

    model_kind: ClassVar[str]
    files: ClassVar[tuple[str, ...]]

    @abstractmethod
    def load(self, path: Path) -> M:
        """The model of a checkpoint."""

    @abstractmethod
    def no_results(self, model: M, pictures: P) -> R:
        """Results without a picture."""

    @abstractmethod
    def score(self, model: M, pictures: P, results: R, **how: Any) -> None:
        """Every listed picture once through the model; in one of several processes its share of them.

        Args:
            model: the checkpoint.
            pictures: the list.
            results: to be added to.
            how: batch_size, num_workers, precision and prefix, see `evaluate`.
        """

    @abstractmethod
    def write(self, model: M, pictures: P, results: R, folder: Path) -> Scored:
        """Write tables and pictures into a folder that is there.

        Raises:
            OSError: they can't be written.
        """

    def report_run(
        self,
        run_dir: Path,
        *,
        checkpoint: str,
        pictures: P,
        batch_size: int,
        num_workers: int,
        training: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Evaluate a checkpoint of the run and write every file of the report; every process of the training calls it.

        Args:
            run_dir: the run's folder.
            checkpoint: which one, "best" or "last".
            pictures: the validation pictures.
            batch_size: pictures of a batch.
            num_workers: processes that read; 0 = this one.
            training: further values for result.json.

        Returns:
            What result.json holds; nothing in the other processes of several.

        Raises:
            NothingEvaluatedError: not one picture could be read.
            ProcessFailedError: one of several processes failed or did not come.
        """
        model = self.load(run_dir / f"{checkpoint}.ckpt")
        extra = {"checkpoint": checkpoint, "training": dict(training)}
        summary = self.evaluate(
            model, pictures, run_dir, batch_size=batch_size, num_workers=num_workers, prefix="data.", extra=extra
        )
        if summary:
            draw_curves(run_dir)
        return summary

    def evaluate(
        self,
        model: M,
        pictures: P,
        output_dir: Path,
        *,
        batch_size: int,
        num_workers: int,
        precision: str = "32",
        prefix: str = "",
        extra: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Score a model on listed pictures; print the result line; write result.json and the files of the report.

        Args:
            model: the checkpoint.
            pictures: the list.
            output_dir: where the files go; made if it is missing.
            batch_size: pictures of a batch.
            num_workers: processes that read; 0 = this one.
            precision: "32", "bf16" or "16".
            prefix: of the settings that the advice of an error names.
            extra: further values for result.json.

        Returns:
            What result.json holds; nothing in the other processes of several.

        Raises:
            NothingEvaluatedError: not one picture could be read.
            ProcessFailedError: one of several processes failed or did not come.
        """
        how = {"batch_size": batch_size, "num_workers": num_workers, "precision": precision, "prefix": prefix}
        results = gather_results(
            lambda: self.no_results(model, pictures),
            lambda own: self.score(model, pictures, own, **how),
            folder=output_dir,
        )
        if results is None:
            return {}
        require_some(results)
        output_dir.mkdir(parents=True, exist_ok=True)
        scored = self.write(model, pictures, results, output_dir)
        description = model.model.describe()
        summary = {
            **scored.scores,
            "num_pictures_used": results.num_used,
            "num_pictures_listed": results.num_listed,
            "num_classes": len(model.classes),
            "preprocessing": model.sizes.to_dict(),
            "model": model.model_name,
            "head": description["head"],
            self.model_kind: description,
            **scored.cost,
            **provenance(model.device),
            **extra,
            "errors": {str(name): reason for name, reason in results.errors.items()},
            "result": scored.line,
        }
        finish_report(output_dir, summary, results, notes=scored.notes, files=self.files, confusion=scored.confusion)
        return summary
