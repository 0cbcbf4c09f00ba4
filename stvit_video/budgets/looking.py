"""Looks at videos with many settings: each video is decoded once, and what settings say goes into the journal."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from stvit_video.budgets.halving import Quality
from stvit_video.budgets.read_ahead import read_ahead
from stvit_video.budgets.search_journal import Looked, SearchJournal
from stvit_video.budgets.shared_views import SharedViews
from stvit_video.budgets.video_values import Judge, Labels, Value, value_of
from stvit_video.budgets.view_scores import ViewScores, group_of
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.run_settings import RunSettings
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.inference.trained_model import TrainedModel

Watch = Callable[..., AbstractContextManager[Callable[[Prediction], None]]]
Job = tuple[int, list[int]]  # position of a video, settings that have not looked at it


@dataclass(frozen=True, kw_only=True)
class Looker:
    """A checkpoint that looks at videos with settings, told by their number.

    Attributes:
        trained: the checkpoint.
        manifest: the videos.
        settings: all that can be chosen.
        journal: has what was looked at, and gets what is.
        source: opens the videos.
        watch: called with total= and done= (numbers of videos); within what it gives, called for each video.
        num_threads: that decode, beside this one; 0 = none.
    """

    trained: TrainedModel
    manifest: Manifest
    settings: Sequence[RunSettings]
    journal: SearchJournal
    source: FrameSource
    watch: Watch
    num_threads: int = 0

    @property
    def judge(self) -> Judge:
        """Judges settings."""
        return Judge(self.trained.multi_label, len(self.trained.classes))

    def look(self, numbers: Sequence[int], videos: Sequence[int]) -> None:
        """Look at videos with settings, but for what the journal has.

        Args:
            numbers: of settings.
            videos: positions in the manifest.

        Raises:
            NonFiniteLogitsError: the model gives NaN or infinity.
            OSError: the journal can't be written.
        """
        jobs = [(video, missing) for video in videos if (missing := self.journal.missing(video, numbers))]
        if not jobs:
            return
        with self.watch(total=len(jobs), done=0) as report:
            scores = self._scores()
            opened = read_ahead(self._open, jobs, num_threads=self.num_threads)
            for (video, missing), found in zip(jobs, opened, strict=True):
                looked = self._looked(scores, video, missing, found)
                self.journal.append(video, looked)
                report(Prediction(file=self.manifest.records[video].path, error=looked.error))

    def num_left(self, numbers: Sequence[int], videos: Sequence[int]) -> int:
        """How many of the videos some of the settings have not looked at."""
        return sum(bool(self.journal.missing(video, numbers)) for video in videos)

    def qualities(self, numbers: Sequence[int], videos: Sequence[int]) -> list[Quality | None]:
        """How good settings are on the videos that could be read; None = the setting can't be run.

        Raises:
            NothingEvaluatedError: not one video could be read.
        """
        labels = self.labels_of(self._readable(videos))
        return [
            None if number in self.journal.lost else self.judge.quality(self.values_of(number, videos), labels)
            for number in numbers
        ]

    def values_of(self, number: int, videos: Sequence[int]) -> list[Value]:
        """What a setting said of those of the videos that could be read."""
        return [self.journal.values[video][number] for video in self._readable(videos)]

    def labels_of(self, videos: Sequence[int]) -> list[Labels]:
        """The labels of those of the videos that could be read."""
        return [self.manifest.records[video].labels for video in videos if video not in self.journal.errors]

    def _readable(self, videos: Sequence[int]) -> list[int]:
        found = [video for video in videos if video not in self.journal.errors]
        if not found:
            reasons = "; ".join(list(self.journal.errors.values())[:3])
            raise NothingEvaluatedError(
                f"not one of {len(videos)} videos could be read: {reasons}; if they have moved, give their folder as "
                "data.root=/path, or take others with data.source=csv data.val=my.csv"
            )
        return found

    def _scores(self) -> ViewScores:
        """What the journal knows of short memory is known to the model, too."""
        fitted = {group_of(self.settings[number]): count for number, count in self.journal.views_at_once.items()}
        return ViewScores(self.trained, views_at_once=dict(fitted))

    def _open(self, job: Job) -> SharedViews | DecodeError:
        video, missing = job
        try:
            return SharedViews(
                self.source,
                self.manifest.records[video],
                [self.settings[number] for number in missing],
                protocol=find_protocol(self.trained.protocol.name),
                interpolation=self.trained.preprocessing.interpolation,
            )
        except DecodeError as error:
            return error

    def _looked(self, scores: ViewScores, video: int, missing: list[int], found: SharedViews | DecodeError) -> Looked:
        if isinstance(found, DecodeError):
            return Looked({}, error=str(found))
        record = self.manifest.records[video]
        mine = {number: self.settings[number] for number in missing}
        told = scores.of_video(found, mine, name=record.video_id)
        values = {
            number: value_of(probabilities, record.labels, multi_label=self.trained.multi_label)
            for number, probabilities in told.items()
        }
        return Looked(values, views_at_once=self._new_limits(scores), lost=self._new_losses(scores))

    def _new_limits(self, scores: ViewScores) -> Mapping[int, int]:
        limits = {n: scores.views_at_once.get(group_of(one)) for n, one in enumerate(self.settings)}
        return {n: limit for n, limit in limits.items() if limit and limit != self.journal.views_at_once.get(n)}

    def _new_losses(self, scores: ViewScores) -> Mapping[int, str]:
        groups = {n: group_of(one) for n, one in enumerate(self.settings) if n not in self.journal.lost}
        return {n: scores.lost[group] for n, group in groups.items() if group in scores.lost}
