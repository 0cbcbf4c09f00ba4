"""What became of each listed picture of an evaluation: it came once, or it is missing with a reason."""

from collections.abc import Iterable, Mapping

__all__ = ["PictureId", "PictureResults", "describe_key_frames", "describe_missing"]

PictureId = int | str
NEVER_CAME = "was never evaluated"
NUM_MISSING_SHOWN = 3


class PictureResults:
    """Keeps account of the listed pictures; subclasses keep what was found in them.

    Args:
        picture_ids: of the list, in its order.
        classes: names, by label.

    Raises:
        ValueError: a picture stands twice.
    """

    def __init__(self, picture_ids: Iterable[PictureId], *, classes: Iterable[str]) -> None:
        self.classes = tuple(classes)
        listed = list(picture_ids)
        self._places = {name: place for place, name in enumerate(listed)}
        if doubled := len(listed) - len(self._places):
            raise ValueError(f"{doubled} of {len(listed)} pictures stand twice in the truth; list each picture once")
        self._used: set[PictureId] = set()
        self._errors: dict[PictureId, str] = {}

    def add_missing(self, picture_id: PictureId, reason: str) -> None:
        """Note a picture that can't be read; it takes part in no number.

        Raises:
            ValueError: it is not listed, or came before.
        """
        self._require_new(picture_id)
        self._errors[picture_id] = reason

    @property
    def errors(self) -> dict[PictureId, str]:
        """Picture id -> why it was not evaluated, in the order of the list."""
        return {name: self._errors.get(name, NEVER_CAME) for name in self._places if name not in self._used}

    @property
    def used(self) -> list[PictureId]:
        """The pictures that were evaluated, in the order of the list."""
        return [name for name in self._places if name in self._used]

    @property
    def num_listed(self) -> int:
        """Pictures of the list."""
        return len(self._places)

    @property
    def num_used(self) -> int:
        """Pictures that were evaluated."""
        return len(self._used)

    def _take(self, name: PictureId) -> None:
        """Count a picture as evaluated."""
        self._require_new(name)
        self._used.add(name)

    def _require_new(self, name: PictureId) -> None:
        if name not in self._places:
            raise ValueError(f"picture {name!r} is none of the {len(self._places)} pictures of the truth")
        if name in self._used or name in self._errors:
            raise ValueError(f"picture {name!r} came twice; evaluate each picture once, by one process")


def describe_key_frames(key_every: int, *, gmacs_backbone: float) -> str:
    """Which frames made semantic tokens: "a key frame every 4 frames, 103.5 GMACs of the backbone a frame"; "" = all.

    Args:
        key_every: frames from one key frame to the next.
        gmacs_backbone: multiply-adds (in 1e9) for a frame.
    """
    if key_every == 1:
        return ""
    return f"a key frame every {key_every} frames, {gmacs_backbone:.4g} GMACs of the backbone a frame"


def describe_missing(errors: Mapping[PictureId, str], *, num_listed: int) -> str:
    """How many pictures are in no number, and why the first of them are not; "" = all are.

    Args:
        errors: picture id -> reason.
        num_listed: pictures of the list.
    """
    if not errors:
        return ""
    lines = [f"{len(errors)} of {num_listed} pictures could not be evaluated and are in no number:"]
    lines += [f"  {name}: {reason}" for name, reason in list(errors.items())[:NUM_MISSING_SHOWN]]
    if len(errors) > NUM_MISSING_SHOWN:
        lines.append(f"  and {len(errors) - NUM_MISSING_SHOWN} more")
    return "\n".join(lines)
