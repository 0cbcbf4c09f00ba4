"""What the tests of settings share: changing one, and all checks at once, without files and folders."""

import copy

from stvit_video.config.consistency import contradictions
from stvit_video.config.setting_rules import type_faults


def changed(settings, key, value):
    """A copy of the settings, with another value of one such as "optim.lr"."""
    settings = copy.deepcopy(settings)
    group, _, name = key.rpartition(".")
    (settings[group] if group else settings)[name] = value
    return settings


def check_settings(settings):
    """Raise the faults of settings, as a start of the training does."""
    wrong = type_faults(settings)
    faults = [*wrong.values(), *contradictions(settings, wrong)]
    if faults:
        raise ValueError("; ".join(faults))
