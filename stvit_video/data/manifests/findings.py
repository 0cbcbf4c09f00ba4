"""What checks of annotations find: faults, which stop, and warnings, which don't."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

from stvit_video.data.manifests.faults import Faults

NUM_NAMED = 3


@dataclass
class Findings:
    """Sentences about annotations.

    Attributes:
        faults: of what keeps the data from being used.
        warnings: of what is worth knowing.
    """

    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, other: "Findings") -> None:
        """Add what another check has found."""
        self.faults += other.faults
        self.warnings += other.warnings

    def raise_if_any(self, source: str | PathLike[str]) -> None:
        """Raise all faults in one error that names `source`.

        Raises:
            ManifestError: there is a fault.
        """
        Faults(source, [(0, fault) for fault in self.faults]).raise_if_any()


def first_of(items: Iterable[Any]) -> str:
    """The first three of some ids or names, for a sentence: "first: 17, 18, 19"."""
    return f"first: {', '.join(str(item) for _, item in zip(range(NUM_NAMED), items, strict=False))}"


def doubles(items: Sequence[Any]) -> list[Any]:
    """What stands more than once, each once, in order."""
    seen, found = set[Any](), dict[Any, None]()
    for item in items:
        if item in seen:
            found[item] = None
        seen.add(item)
    return list(found)
