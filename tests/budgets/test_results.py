"""What is written and told of a search."""

import csv
import shlex
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from stvit_video.budgets.begin import open_journal
from stvit_video.budgets.looking import Looker
from stvit_video.budgets.results import front_to_store, lines_to_run, write_results
from stvit_video.budgets.search import search
from stvit_video.budgets.search_space import default_space
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.factories.evaluated_data import labelled_manifest
from stvit_video.inference.run_settings import RunSettings
from stvit_video.predict import COMMAND as PREDICT
from stvit_video.settings.paths import CONF_DIR

OWN = RunSettings(
    num_frames=4, frame_stride=2, crop_size=16, short_side=20, num_tokens=4, generate_at=2, num_clips=2, num_crops=3
)


@contextmanager
def no_watch(*, total, done):
    yield lambda prediction: None


def test_all_files_are_written(elastic_run, quick_costs, tmp_path):
    trained = elastic_run.load()
    manifest = labelled_manifest(trained.config["data"], trained.classes, stored=True)
    space = replace(default_space(trained), num_frames=(4,), frame_stride=(2,), crop_size=(16,), num_crops=(1,))
    with open_journal(tmp_path, trained, manifest, space, seed=0) as journal:
        looker = Looker(
            trained=trained,
            manifest=manifest,
            settings=space.combinations(trained),
            journal=journal,
            source=FrameSource(),
            watch=no_watch,
        )
        found = search(looker, seed=0, first_videos=7)
        journal.errors[found.reporting[0]] = "can't decode"
        front = front_to_store(looker, found, videos="csv: list.csv", seed=0)
        names = write_results(front, looker, found, tmp_path)
    assert sorted(names) == ["budget.csv", "budget.png", "halves.csv", "tried.csv"]
    assert (front.num_choosing, front.num_reporting, front.metric, front.protocol) == (7, 6, "top-1", "uniform")
    assert front.points == found.points
    assert "threads" in front.hardware
    with (tmp_path / "halves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["video"] for row in rows] == [record.video_id for record in manifest.records]
    assert [number for number, row in enumerate(rows) if row["half"] == "choosing"] == sorted(found.choosing)
    assert [row["error"] for row in rows if row["error"]] == ["can't decode"]
    assert len((tmp_path / "tried.csv").read_text().splitlines()) == 1 + len(looker.settings)


@pytest.mark.parametrize(
    "settings",
    [OWN, replace(OWN, num_tokens=(1, 2, 2), crop_size=12, short_side=15), replace(OWN, generate_at=1, num_frames=2)],
)
def test_the_lines_can_be_run(settings):
    evaluate, predict = lines_to_run(Path("my run/best.ckpt"), settings, own=OWN, protocol=None, average="logit")
    given = PREDICT.parse(shlex.split(predict)[3:])
    assert str(given.ckpt_path) == "my run/best.ckpt"
    for name, value in settings.plain().items():
        written = getattr(given, name)
        if written is not None:
            assert (list(written) if name == "num_tokens" else written) == (
                value if name != "num_tokens" or isinstance(value, list) else [value]
            )
        else:
            assert value == OWN.plain()[name]
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        words = [word.replace("my run", "run") for word in shlex.split(evaluate)[3:]]
        config = compose("evaluate", overrides=words)
    assert (config.average, config.num_clips) == ("logit", None)
    assert config.crop_size in (None, settings.crop_size)
