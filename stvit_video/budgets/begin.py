"""The beginning of a search: its folder is held, its journal is opened or begun, and a hopeless budget is refused."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from stvit_video.budgets.search import what_is_searched
from stvit_video.budgets.search_journal import SearchJournal
from stvit_video.budgets.search_space import SearchSpace, count_costs
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.inference.cost_budget import Budget, unmet
from stvit_video.inference.run_settings import RunSettings
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.utils.file_lock import file_lock

JOURNAL, LOCK = "budget.journal", ".budget.lock"


@contextmanager
def open_journal(
    folder: Path, trained: TrainedModel, manifest: Manifest, space: SearchSpace, *, seed: int
) -> Iterator[SearchJournal]:
    """Within, this process alone works in the folder, and its journal is open: that of an earlier start, or a new one.

    Args:
        folder: of the results; it is there.
        trained: the checkpoint.
        manifest: the videos.
        space: the settings.
        seed: of the halves of the videos.

    Raises:
        ValueError: the journal is of another search, another process is at work, or no setting can be run.
        OSError: a file can't be written.
    """
    with _held(folder):
        searched = what_is_searched(trained, manifest, space, seed=seed)
        journal = SearchJournal.reopen(folder / JOURNAL, searched)
        if journal is None:
            costs, notes = count_costs(trained, space.combinations(trained))
            journal = SearchJournal.create(folder / JOURNAL, searched, costs=costs, notes=notes)
        with closing(journal):
            yield journal


def require_reachable(settings: Sequence[RunSettings], costs: Sequence[float | None], budget: Budget | None) -> None:
    """Raise where even the cheapest setting costs more multiply-adds than allowed, before videos are looked at.

    Raises:
        ValueError: it does; the cheapest is named with its cost.
    """
    known = [(cost, place) for place, cost in enumerate(costs) if cost is not None]
    if budget is None or budget.name != "gmacs" or not known:
        return
    cost, place = min(known)
    if cost > budget.limit:
        raise unmet(budget, settings[place].words(), cost=cost)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    try:
        with file_lock(folder / LOCK):
            yield
    except BlockingIOError as error:
        raise ValueError(f"another process searches in {folder}; wait for it, or give another out=FOLDER") from error
