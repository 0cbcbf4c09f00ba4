"""The process of a row without a process: the same answers, given here, and processes that answer as a test wants."""

from collections.abc import Callable
from typing import Any

from stvit_video.model_benchmark.model_row import OURS, ModelRow
from stvit_video.model_benchmark.row_process import RowError
from stvit_video.model_benchmark.row_worker import RowService

TINY = {"image_size": (12, 20), "patch_size": 4, "embed_dim": 8, "num_heads": 2, "depth": 4}


def tiny_row(label: str = "deit_tiny", *, name: str = "deit_tiny", **options: Any) -> ModelRow:
    """A row of a very small DeiT for images of 12x20 pixels."""
    return ModelRow(
        label=label,
        library=OURS,
        name=name,
        input_size=(12, 20),
        baseline="deit_tiny",
        options={**TINY, **options},
    )


class ServiceHere:
    """Answers as the process of a row does, in this process; it takes no limit of memory and no number of threads."""

    def __init__(self, threads: int = 1) -> None:
        self.service = RowService()
        self.is_ended = False

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert not self.is_ended
        answer = self.service.answer(request)
        if "error" in answer:
            raise RowError(answer["error"], answer["text"])
        return answer

    def end(self) -> None:
        self.is_ended = True


class MadeUp:
    """Starts processes that answer by a function of the request and note who asked what, in order."""

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.answer = answer
        self.asked: list[tuple[int, str]] = []  # number of the process, and what it did
        self.num_started = 0
        self.running: set[int] = set()

    def __call__(self, threads: int) -> "_MadeUpProcess":
        self.num_started += 1
        self.running.add(self.num_started)
        return _MadeUpProcess(self, self.num_started)


class _MadeUpProcess:
    def __init__(self, owner: MadeUp, number: int) -> None:
        self.owner = owner
        self.number = number

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.number in self.owner.running
        words = [request["do"], *(str(request[key]) for key in ("batch_size", "warmup", "precision") if key in request)]
        self.owner.asked.append((self.number, " ".join(words)))
        return self.owner.answer(request)

    def end(self) -> None:
        self.owner.running.discard(self.number)
