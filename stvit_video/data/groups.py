"""Clips cut from one video belong together: no such group may be split between training and test.

Clips of a group share the scene, the people and the camera, so a model that has seen one of them knows the others.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from stvit_video.data.csv_rows import NUM_FAULTS_SHOWN, ManifestError

_UCF101_FILE = re.compile(r"v_.+_(g\d+)_c\d+\.\w+")


class Group(NamedTuple):
    """A group of clips: the class, and the name of the group in it, e.g. ("Archery", "g08")."""

    label: str
    name: str


def ucf101_group(written: str) -> Group | None:
    """The group of a UCF101 clip.

    Args:
        written: path as the official lists give it, e.g. "Archery/v_Archery_g08_c01.avi".

    Returns:
        The class folder and the group, or None where the path is not of this form.

    Source: Soomro, Zamir, Shah: UCF101 (2012), section 3: 25 groups a class, 4 to 7 clips each.
    """
    folder, slash, name = written.partition("/")
    match = _UCF101_FILE.fullmatch(name)
    return Group(folder, match.group(1)) if folder and slash and match else None


def check_groups(train: Iterable[Group], test: Iterable[Group], *, train_source: str, test_source: str) -> None:
    """Make sure that training and test have no group of clips in common.

    Args:
        train: groups of the training clips.
        test: groups of the test clips.
        train_source: the training list, for the message.
        test_source: the test list, for the message.

    Raises:
        ManifestError: groups are in both; they are named.
    """
    shared = sorted(set(train) & set(test))
    if shared:
        names = ", ".join(f"{group.label} {group.name}" for group in shared[:NUM_FAULTS_SHOWN])
        raise ManifestError(
            f"{len(shared)} group(s) of clips are in both {train_source} and {test_source}: {names}"
            f"{', ...' if len(shared) > NUM_FAULTS_SHOWN else ''}; clips of a group come from one video, "
            "so take the official lists, or move each group to one side"
        )
