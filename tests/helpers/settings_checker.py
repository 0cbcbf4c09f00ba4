"""What the tests of settings share: changing one, and all checks at once, without files and folders."""

import copy

from stvit_video.config.consistency import contradictions
from stvit_video.config.detection_consistency import detection_faults
from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.segmentation_consistency import segmentation_faults
from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.settings.segmentation_settings import SegmentationSettings
from stvit_video.settings.train_settings import TrainSettings
from stvit_video.tasks.task_list import task_of


def changed(values, key, value):
    """A copy of plain settings, with another value of one such as "optim.lr"."""
    values = copy.deepcopy(values)
    group, _, name = key.rpartition(".")
    (values[group] if group else values)[name] = value
    return values


RULES = {
    TrainSettings: contradictions,
    DetectionSettings: detection_faults,
    SegmentationSettings: segmentation_faults,
}


def all_changed(values, changes):
    """A copy of plain settings with other values of several."""
    for key, value in changes.items():
        values = changed(values, key, value)
    return values


def typed(values):
    """The settings of a training from plain values, of which none is wrong."""
    read = read_with_layout(TrainSettings, {key: value for key, value in values.items() if key != "sweep"})
    assert (dict(read.wrong), read.unknown) == ({}, ())
    return read.settings


def faults_of(values):
    """The faults of plain settings, as a start of the training finds them."""
    read = task_of(values).read({key: value for key, value in values.items() if key != "sweep"})
    found = RULES[type(read.settings)](read.settings, read.wrong)
    return [*unknown_faults(read.unknown), *read.wrong.values(), *found]


def check_settings(values):
    """Raise the faults of settings, as a start of the training does."""
    if faults := faults_of(values):
        raise ValueError("; ".join(faults))
