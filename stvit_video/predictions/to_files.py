"""Predict many videos into files: a run that was stopped goes on by the same command, each video once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Any

from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.disk_writes import file_digest
from stvit_video.predictions.growing_table import GrowingTable
from stvit_video.predictions.journal import Journal
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.predictions.made_with import describe_differences
from stvit_video.predictions.result_files import Targets

Predict = Callable[[Sequence[VideoRecord]], Iterator[Prediction]]
Watch = Callable[..., AbstractContextManager[Callable[[Prediction], None]]]


@dataclass(frozen=True)
class Outcome:
    """What a run has done.

    Attributes:
        num_videos: in the result.
        num_failed: of them that could not be read.
        num_new: that this run has predicted.
        was_complete: True = there was nothing to do.
    """

    num_videos: int
    num_failed: int
    num_new: int
    was_complete: bool = False


def predict_to_files(
    listed: Sequence[ListedVideo],
    predict: Predict,
    *,
    targets: Targets,
    made_with: Mapping[str, Any],
    watch: Watch,
    extend: bool = False,
    retry_errors: bool = False,
) -> Outcome:
    """Predict the videos that the files do not have yet, and write the files.

    Args:
        listed: all videos of the result, each once.
        predict: one prediction a record, in order.
        targets: the files.
        made_with: what the predictions depend on, see `made_with`.
        watch: called with total= and done= (numbers of videos); within what it gives, called with each prediction.
        extend: True = videos that were added to the list since are predicted, too.
        retry_errors: True = videos that could not be read are tried again.

    Raises:
        ValueError: the files are of other settings or videos, were changed since, or another process is at work.
        DiskFullError: there is no room.
        OSError: a file can't be written.
    """
    with targets.locked():
        journal = _journal_so_far(listed, targets, made_with, extend=extend, retry_errors=retry_errors)
        if journal is not None and targets.are_complete(journal):
            return Outcome(len(journal.videos), journal.num_failed, num_new=0, was_complete=True)
        missing = list(range(len(listed))) if journal is None else journal.missing()
        journal = _predict_missing(listed, predict, journal, missing, targets, made_with, watch)
        with closing(journal):
            targets.write(journal)
        return Outcome(len(journal.videos), journal.num_failed, num_new=len(missing))


def _predict_missing(
    listed: Sequence[ListedVideo],
    predict: Predict,
    journal: Journal | None,
    missing: Sequence[int],
    targets: Targets,
    made_with: Mapping[str, Any],
    watch: Watch,
) -> Journal:
    """The complete journal. A new one is made when there is something to write: a refused start leaves none."""
    videos = listed if journal is None else journal.videos
    here = {video.key: video for video in listed}  # the journal has absolute paths
    results = predict([here[videos[number].key].record() for number in missing]) if missing else iter(())
    table: GrowingTable | None = None
    try:
        with watch(total=len(videos), done=len(videos) - len(missing)) as report:
            for number, prediction in zip(missing, results, strict=False):
                journal = journal or Journal.create(targets.journal, made_with, listed)
                table = table or GrowingTable(targets.out, targets.table(journal), journal)
                journal.append(number, prediction)
                table.append(number, prediction)
                report(prediction)
    finally:
        for file in (table, journal):
            if file is not None:
                file.close()
    assert journal is not None
    assert not journal.missing()  # the engine gives exactly one prediction a record
    return journal


def _journal_so_far(
    listed: Sequence[ListedVideo],
    targets: Targets,
    made_with: Mapping[str, Any],
    *,
    extend: bool,
    retry_errors: bool,
) -> Journal | None:
    """The journal of a run that was stopped or is to be extended, once it is known to be of this command."""
    if not targets.journal.exists():
        targets.check_new()
        return None
    journal = Journal.read(targets.journal)
    _check_settings(journal, targets, made_with)
    added = _check_list(journal, listed, targets, extend=extend)
    targets.check_ours(journal)
    if added or (retry_errors and journal.num_failed):
        return _begun_anew(journal, listed, targets, retry_errors=retry_errors)
    return journal


def _check_settings(journal: Journal, targets: Targets, made_with: Mapping[str, Any]) -> None:
    differences = describe_differences(journal.made_with, made_with)
    if differences:
        raise ValueError(
            f"{targets.main} was begun with other settings: {differences}; go on with those of then, give another "
            f"{_setting(targets)}=, or delete {targets.main.name} and {targets.journal.name}"
        )


def _check_list(journal: Journal, listed: Sequence[ListedVideo], targets: Targets, *, extend: bool) -> int:
    """How many videos were added since."""
    then, now = ({video.key for video in videos} for videos in (journal.videos, listed))
    gone = [video.title for video in journal.videos if video.key not in now]
    added = [video.title for video in listed if video.key not in then]
    other = f"give another {_setting(targets)}="
    if gone:
        raise ValueError(
            f"{targets.main} was begun with another list: {len(gone)} of its {len(then)} videos are not named now "
            f"(first: {gone[0]}), {len(added)} are new; name those of then as well, or {other}"
        )
    if added and not extend:
        raise ValueError(
            f"{targets.main} was begun with another list: {len(added)} of the {len(now)} videos are new "
            f"(first: {added[0]}); give extend=true to predict them as well, or {other}"
        )
    return len(added)


def _begun_anew(journal: Journal, listed: Sequence[ListedVideo], targets: Targets, *, retry_errors: bool) -> Journal:
    """The journal with the list of now, without the errors that are to be tried again."""
    numbers = {video.key: number for number, video in enumerate(listed)}
    kept = (
        (numbers[journal.videos[number].key], prediction)
        for number, prediction in journal.written()
        if not (retry_errors and journal.has_failed(number))
    )
    files = {file_digest(path) for path in targets.paths if path.exists()}  # they were written from this journal
    return Journal.create(targets.journal, journal.made_with, listed, predictions=kept, digests=journal.digests | files)


def _setting(targets: Targets) -> str:
    return "features" if targets.out is None else "out"
