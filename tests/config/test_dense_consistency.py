"""What detectors and segmenters do not have of settings; their sentences are tried with the checks of each task."""

from stvit_video.config.dense_consistency import BOXES, CLASSIFICATION, MAPS, TASKS_OF
from stvit_video.dense.create_dense import HEADS
from stvit_video.settings.augment_settings import AugmentSettings
from stvit_video.settings.optim_settings import OptimSettings


def test_every_setting_of_augment_is_of_some_task():
    everything = set(AugmentSettings.model_fields)
    for kind in (BOXES, MAPS):
        foreign = {name for names in kind.foreign_augment.values() for name in names}
        own = everything - foreign
        assert {"flip_probability", "photometric_probability", *kind.augment.model_fields} == own
        assert set(kind.foreign_augment) == {CLASSIFICATION, TASKS_OF[kind.other]}


def test_unused_settings_are_settings():
    for kind in (BOXES, MAPS):
        for name in kind.unused:
            group, _, own = name.partition(".")
            assert own in {"optim": OptimSettings, "augment": AugmentSettings}[group].model_fields
        assert len(set(kind.unused)) == len(kind.unused)
    assert "augment.short_sides" in MAPS.unused
    assert "augment.short_sides" not in BOXES.unused


def test_each_head_is_of_one_kind():
    told = [kind.heads.split(", head=") for kind in (BOXES, MAPS)]
    assert sorted([*told[0], *told[1]]) == sorted(HEADS)
    assert told[1] == ["semantic_fpn", "upernet"]
