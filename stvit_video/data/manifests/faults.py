"""All that is wrong with a list of videos, in one error."""

import os
from dataclasses import dataclass, field

NUM_FAULTS_SHOWN = 5


class ManifestError(ValueError):
    """A manifest is not usable; the message counts the faults and shows the first with their lines."""


class UnknownLabelError(ManifestError):
    """A fault that the message shows is a label that is none of the given classes."""


@dataclass
class Faults:
    """Collects what is wrong with `source`, to be raised as one error.

    Attributes:
        source: the manifest, for the message.
        found: (line, text) of each fault; line 0 = the fault belongs to no line.
        unknown_labels: those of them that are labels outside the given classes.
    """

    source: str | os.PathLike[str]
    found: list[tuple[int, str]] = field(default_factory=list)
    unknown_labels: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, text: str) -> None:
        """Note a fault of a line (0 = of no line)."""
        self.found.append((line, text))

    def add_unknown_label(self, line: int, text: str) -> None:
        """Note a label that is none of the given classes."""
        self.add(line, text)
        self.unknown_labels.append((line, text))

    def raise_if_any(self) -> None:
        """Raise what was noted: the count, and the first NUM_FAULTS_SHOWN faults in the order of the lines.

        Raises:
            UnknownLabelError: a label outside the given classes is among those shown.
            ManifestError: there was another fault.
        """
        if not self.found:
            return
        ordered = sorted(self.found, key=lambda fault: fault[0])
        first = ordered[:NUM_FAULTS_SHOWN]
        kind = UnknownLabelError if any(fault in self.unknown_labels for fault in first) else ManifestError
        shown = [f"line {line}: {text}" if line else text for line, text in first]
        if len(ordered) > len(shown):
            shown.append(f"and {len(ordered) - len(shown)} more")
        text = "\n  ".join(shown)
        raise kind(f"{self.source} is not usable, {len(ordered)} fault(s):\n  {text}")
