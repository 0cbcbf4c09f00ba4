"""The result files of a run: where they are, who may write them, and how they are written."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stvit_video.predictions.disk_writes import file_digest, no_room_is_told
from stvit_video.predictions.feature_table import FEATURE_ENDINGS, write_features
from stvit_video.predictions.growing_table import TEXT_ENDINGS, text_so_far
from stvit_video.predictions.journal import ENDING, Journal
from stvit_video.predictions.label_table import LABEL_ENDINGS, LabelTable, Row
from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.file_lock import file_lock


@dataclass(frozen=True)
class Targets:
    """The files that a run writes, one or both.

    Attributes:
        out: the table of labels.
        features: the features.
        separator: between the labels of a list in a CSV.

    Raises:
        ValueError: neither is given, an ending is unknown, both are one file, or one is a folder.
    """

    out: Path | None = None
    features: Path | None = None
    separator: str = "|"

    def __post_init__(self) -> None:
        for name, path, endings in (("out", self.out, LABEL_ENDINGS), ("features", self.features, FEATURE_ENDINGS)):
            if path is not None and (rule := ending_rule(path, endings)):
                raise ValueError(f"{name}={path} {rule}")
        if not self.paths:
            raise ValueError("there is no result file; give out= or features=")
        if len({path.absolute() for path in self.paths}) < len(self.paths):
            raise ValueError(f"out={self.out} and features={self.features} are the same file; give two")
        for path in self.paths:
            if path.is_dir():
                raise ValueError(f"{path} is a folder; give the name of a file in it")

    @property
    def paths(self) -> list[Path]:
        """The files, features first: the labels are there when all is done."""
        return [path for path in (self.features, self.out) if path is not None]

    @property
    def main(self) -> Path:
        """The file that the journal is named after."""
        return self.paths[-1]

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.main.with_name(self.main.name + ENDING)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within, no other process writes these files; their folders are made where they are missing.

        Raises:
            ValueError: another process is at work on one of them, or a folder can't be made or written.
        """
        with ExitStack() as stack:
            for path in self.paths:
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    stack.enter_context(file_lock(path.with_name(f".{path.name}.lock")))
                except BlockingIOError as error:
                    raise ValueError(
                        f"another process is at work on {path}; wait until it has ended, or give another "
                        f"{self._setting(path)}="
                    ) from error
                except OSError as error:
                    raise ValueError(
                        f"the folder {path.parent} can't be made or written ({error.strerror}); give another "
                        f"{self._setting(path)}="
                    ) from error
            yield

    def check_new(self) -> None:
        """Raise where a file is there already though there is no journal.

        Raises:
            ValueError: one is.
        """
        for path in self.paths:
            if path.exists():
                raise ValueError(
                    f"{path} is there already, without the {self.journal.name} that says how it was made; it is not "
                    f"written over: give another {self._setting(path)}=, or delete it"
                )

    def check_ours(self, journal: Journal) -> None:
        """Raise where a file that is there was not written from this journal, or was changed since.

        Raises:
            ValueError: one is.
            OSError: one can't be read.
        """
        for path in self.paths:
            if path.exists() and not self._is_ours(path, journal):
                raise ValueError(
                    f"{path} is not as it was written from {journal.path.name}; it is not written over: move it "
                    f"elsewhere, and the same command writes it again without decoding, or give another "
                    f"{self._setting(path)}="
                )

    def are_complete(self, journal: Journal) -> bool:
        """Whether every video is predicted and every file finished."""
        are_there = all(path.exists() and file_digest(path) in journal.digests for path in self.paths)
        return are_there and not journal.missing()

    def write(self, journal: Journal) -> None:
        """Write every file from the journal, each in one step, in the order of the list.

        Raises:
            DiskFullError: there is no room; the journal is whole.
            OSError: a file can't be written.
        """
        for path in self.paths:
            with no_room_is_told(path, kept_in=journal.path.name), atomically(path) as part:
                self._write_one(path, part, journal)
                journal.note_result(part)

    def _write_one(self, path: Path, part: Path, journal: Journal) -> None:
        def rows() -> Iterator[Row]:
            return ((journal.videos[number], prediction) for number, prediction in journal.in_order())

        ending, table = path.suffix.lower(), self.table(journal)
        if path == self.out:
            table.write(part, rows(), ending=ending)
            return
        count = len(journal.videos)
        write_features(part, rows, num_videos=count, ending=ending, has_segments=table.has_segments)

    def table(self, journal: Journal) -> LabelTable:
        """The columns of the labels."""
        return LabelTable(
            num_labels=journal.made_with["top_k"],
            separator=self.separator,
            has_segments=any(video.has_segment for video in journal.videos),
        )

    def _is_ours(self, path: Path, journal: Journal) -> bool:
        if file_digest(path) in journal.digests:
            return True
        if path != self.out or path.suffix.lower() not in TEXT_ENDINGS:
            return False
        found = path.read_bytes().rstrip(b"\0")  # which a power cut leaves where bytes were not on the disk yet
        expected = text_so_far(path, self.table(journal), journal)
        return expected.startswith(found) or found.startswith(expected)

    def _setting(self, path: Path) -> str:
        return "out" if path == self.out else "features"


def ending_rule(path: Path, endings: tuple[str, ...]) -> str:
    """What a file must end in; "" = it does."""
    is_known = path.suffix.lower() in endings
    return "" if is_known else f"must end in {', '.join(endings[:-1])} or {endings[-1]}, which says the format"
