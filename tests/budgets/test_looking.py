"""Looks at videos: decoded once for all settings, kept in the journal, broken ones counted nowhere."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import pytest

from stvit_video.budgets.looking import Looker
from stvit_video.budgets.search_journal import SearchJournal
from stvit_video.budgets.search_space import default_space
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.scoring import NothingEvaluatedError


@contextmanager
def no_watch(*, total, done):
    yield lambda prediction: None


@pytest.fixture(params=[0, 2])
def looker(elastic_run, tmp_path, request):
    trained = elastic_run.load()
    folder = elastic_run.manifest.parent
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    paths = [*(folder / f"video {number}.mp4" for number in range(4)), tmp_path / "broken.mp4"]
    records = tuple(VideoRecord(path, number % 3, path.name) for number, path in enumerate(paths))
    settings = replace(default_space(trained), num_frames=(4,), crop_size=(12, 16)).combinations(trained)
    journal = SearchJournal.create(tmp_path / "j", {}, costs=[1.0] * len(settings), notes=[])
    yield Looker(
        trained=trained,
        manifest=Manifest(records, trained.classes),
        settings=settings,
        journal=journal,
        source=FrameSource(warn=False),
        watch=no_watch,
        num_threads=request.param,
    )
    journal.close()


def test_each_video_is_opened_once_for_all_settings(looker, monkeypatch):
    opened = Counter()
    real = FrameSource.with_video

    def with_video(source, record, work):
        opened[record.video_id] += 1
        return real(source, record, work)

    monkeypatch.setattr(FrameSource, "with_video", with_video)
    numbers = range(len(looker.settings))
    looker.look(numbers, [0, 1, 4])
    looker.look(numbers[::2], [0, 1, 2, 4])
    assert opened == {"video 0.mp4": 1, "video 1.mp4": 1, "video 2.mp4": 1, "broken.mp4": 1}
    assert looker.num_left(numbers, [0, 1, 2, 3, 4]) == 2
    assert looker.num_left(numbers[::2], [0, 1, 2, 4]) == 0


def test_hits_are_those_of_the_recognizer(elastic_run, looker):
    looker.look([5, 40], [0, 1, 2, 3])
    for number in (5, 40):
        alone = load_recognizer(elastic_run.checkpoint, device="cpu", **looker.settings[number].plain())
        told = [alone(record.path) for record in looker.manifest.records[:4]]
        hits = [
            one.label == alone.classes[record.label] for one, record in zip(told, looker.manifest.records, strict=False)
        ]
        assert [value[0] for value in looker.values_of(number, range(4))] == hits
        assert looker.qualities([number], range(4))[0].main == sum(hits) / 4


def test_a_broken_video_counts_nowhere(looker):
    looker.look([1], [0, 4])
    assert list(looker.journal.errors) == [4]
    assert "broken.mp4" in looker.journal.errors[4]
    assert len(looker.values_of(1, [0, 4])) == len(looker.labels_of([0, 4])) == 1
    with pytest.raises(
        NothingEvaluatedError, match=r"not one of 1 videos .*broken\.mp4.*data\.root=.*data\.source=csv"
    ):
        looker.qualities([1], [4])


def test_a_setting_that_is_lost_has_no_quality(looker):
    looker.look([0, 1], [0])
    looker.journal.lost[1] = "no memory"
    found = looker.qualities([0, 1], [0])
    assert found[0] is not None
    assert found[1] is None
    assert looker.num_left([1], [2]) == 0
