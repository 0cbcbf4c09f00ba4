"""What a task is: all that the commands ask where classification, detection and others differ."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lightning.pytorch import Callback
from torch import nn

from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.settings.reading import Read
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.training.task_module import TaskModule
from stvit_video.utils.command_line import Given


class Task(Protocol):
    """One way to use a backbone: its settings, data, loss, metrics, results, and what its checkpoints say.

    Settings are of a type that the task knows, a `TaskSettings`. Parts are what its checks build of them and the
    training uses; each is built when it is first asked for, so that a wrong setting spoils its own part alone.

    Attributes:
        settings: the type of the settings.
    """

    settings: type[TaskSettings]

    def read(self, values: Mapping[str, Any]) -> Read[Any]:
        """The settings of plain values, with all that is wrong about them."""

    def parts(self, settings: Any) -> Any:
        """The parts of a training; no file is read before one is asked for."""

    def faults(self, settings: Any, wrong: Collection[str], parts: Any) -> list[str]:
        """A sentence for each contradiction between settings, and for each named file that can't be used.

        Args:
            settings: of this task.
            wrong: names of wrong ones; what depends on them is not looked at.
            parts: built of the same settings.
        """

    def place_faults(self, settings: Any, wrong: Collection[str]) -> list[str]:
        """A sentence for each list or folder of the data that is not given or not there."""

    def complete(self, settings: Any) -> Any:
        """The settings as config.yaml holds them: the protocol whole, paths absolute.

        Raises:
            ValueError: they can't be used; `faults` tells of the same.
        """

    def meta_model(self, settings: Any) -> nn.Module:
        """The model on the device "meta", with the default classes; its trained parts are marked.

        Raises:
            ValueError: it can't be built.
        """

    def build(self, settings: Any, parts: Any, *, kept: KeptSplit | None = None) -> tuple[TaskModule, Any]:
        """The model in its LightningModule, and the data, a LightningDataModule.

        Args:
            settings: complete ones.
            parts: built of the same settings.
            kept: which samples a training that goes on has held back for validation.

        Raises:
            ValueError: settings or data that can't be used.
        """

    def modern(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """What an older checkpoint says, with what it lacks of today's values."""

    def callbacks(self, settings: Any, run_dir: Path, data: Any) -> Sequence[Callback]:
        """What the training needs beside the callbacks of all tasks.

        Args:
            settings: complete ones.
            run_dir: the folder of the run.
            data: as `build` gives it.
        """

    def evaluate(self, values: Mapping[str, Any], output_dir: Path) -> dict[str, Any]:
        """Evaluate a checkpoint of this task, print the result line, write the report.

        Args:
            values: the settings of stvit_video.evaluate as plain values.
            output_dir: where the files go; made if it is missing.

        Returns:
            What result.json holds; nothing in the other processes of several.

        Raises:
            ValueError: CheckpointError, ManifestError, settings that are wrong or do not go together.
            NothingEvaluatedError: nothing that is listed could be read.
            ProcessFailedError: one of several processes failed or did not come.
        """

    def load(self, path: Path) -> tuple[nn.Module, dict[str, Any]]:
        """The model of a checkpoint of this task with its weights, in eval mode, and what the checkpoint says.

        Args:
            path: a .ckpt file, or an exported folder.

        Raises:
            CheckpointError: it can't be read, is of another task, or its model can't be built here.
        """

    def card(
        self, metadata: Mapping[str, Any], *, result: Mapping[str, Any] | None, checkpoint: str, num_parameters: int
    ) -> str:
        """The model card of an exported run, as Markdown.

        Args:
            metadata: of the checkpoint, as `load` gives it.
            result: result.json of the run; None = this checkpoint was not evaluated.
            checkpoint: "best" or "last".
            num_parameters: values in all parameters.
        """

    def predict(self, given: Given) -> int:
        """Do what stvit_video.predict does with a checkpoint of this task.

        Args:
            given: the settings of the command.

        Returns:
            1 if some files could not be read, else 0.

        Raises:
            ValueError: CheckpointError, nothing to predict, a setting that the checkpoint can't take.
            OSError: a file can't be written; DiskFullError = there is no room.
        """

    def report(self, run_dir: Path, settings: Any, data: Any, training: Mapping[str, Any]) -> dict[str, Any]:
        """Evaluate the checkpoint that `report_checkpoint` says, print the result line, write the report.

        Every process of a training calls this; the first writes.

        Args:
            run_dir: the folder of the run.
            settings: complete ones.
            data: as `build` gives it.
            training: further values for result.json.

        Returns:
            What result.json holds; nothing in the other processes of several.
        """
