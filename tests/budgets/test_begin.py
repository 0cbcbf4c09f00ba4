"""The beginning of a search: costs are counted once, the folder is held, a hopeless budget is refused at once."""

from dataclasses import replace

import pytest

from stvit_video.budgets import begin
from stvit_video.budgets.begin import open_journal, require_reachable
from stvit_video.budgets.search_space import default_space
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.inference.cost_budget import read_budget
from stvit_video.inference.run_settings import own_settings


@pytest.fixture
def parts(elastic_run, quick_costs, tmp_path):
    trained = elastic_run.load()
    manifest = Manifest((VideoRecord(tmp_path / "a.mp4", 0, "a.mp4"),), trained.classes)
    space = replace(default_space(trained), num_frames=(4,), frame_stride=(2,), num_clips=(1,))
    return tmp_path, trained, manifest, space


def test_costs_are_counted_at_the_first_start_alone(parts, monkeypatch):
    with open_journal(*parts, seed=0) as journal:
        costs = journal.costs
    assert len(costs) == 2**4
    assert None not in costs
    monkeypatch.setattr(begin, "count_costs", None)
    with open_journal(*parts, seed=0) as journal:
        assert journal.costs == costs


def test_another_search_or_process_is_refused(parts):
    folder, trained, manifest, space = parts
    with open_journal(*parts, seed=0), pytest.raises(ValueError, match=r"another process searches .*out=FOLDER"):
        open_journal(*parts, seed=0).__enter__()
    with pytest.raises(ValueError, match="seed=0 then, 1 now"):
        open_journal(*parts, seed=1).__enter__()
    other = replace(manifest, records=(replace(manifest.records[0], label=1, labels=(1,)),))
    with pytest.raises(ValueError, match=r"videos=1 \(digest \w+\) then, 1 \(digest \w+\) now"):
        open_journal(folder, trained, other, space, seed=0).__enter__()
    with pytest.raises(ValueError, match="num_crops=1,3 then, 1 now"):
        open_journal(folder, trained, manifest, replace(space, num_crops=(1,)), seed=0).__enter__()


def test_a_budget_below_the_cheapest_setting(elastic_run):
    own = own_settings(elastic_run.load())
    settings = [own, replace(own, num_clips=1), replace(own, num_clips=3)]
    require_reachable(settings, [4.0, 2.0, None], read_budget(gmacs=2))
    require_reachable(settings, [4.0, 2.0, None], read_budget(latency_ms=1))
    require_reachable(settings, [4.0, 2.0, None], None)
    with pytest.raises(ValueError, match="gmacs=1.5: the cheapest is .*num_clips=1 .* 2 GMACs .*gmacs=2 or more"):
        require_reachable(settings, [4.0, 2.0, None], read_budget(gmacs=1.5))
