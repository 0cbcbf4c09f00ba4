import pytest

from stvit_video.config.setting_checks import run_checks
from stvit_video.settings.optim_settings import OptimSettings
from stvit_video.settings.train_settings import TrainSettings

SETTINGS = TrainSettings(seed=1, optim=OptimSettings(lr=2, min_lr=3))


def told(*reads):
    return lambda settings: [f"{group}.{key}={getattr(getattr(settings, group), key)}" for group, key in reads]


CHECKS = [
    told(("optim", "lr")),
    told(("optim", "min_lr"), ("optim", "betas")),
    lambda settings: [f"seed={settings.seed}"],
    lambda settings: [f"epochs={settings.optim.num_warmup_epochs(30)}"],
]


@pytest.mark.parametrize(
    ("wrong", "left"),
    [
        ((), (0, 1, 2, 3)),
        (("optim.lr",), (1, 2, 3)),  # of the same group
        (("optim.betas", "seed"), (0, 3)),
        (("trainer.devices",), (0, 1, 2, 3)),
        (("optim",), (2,)),
    ],
)
def test_only_checks_that_read_a_wrong_setting_are_left_out(wrong, left):
    found = [["optim.lr=2"], ["optim.min_lr=3", "optim.betas=(0.9, 0.999)"], ["seed=1"], ["epochs=5.0"]]
    assert run_checks(CHECKS, SETTINGS, wrong) == [text for place in left for text in found[place]]


def test_a_check_that_takes_a_whole_group_reads_all_of_it():
    check = [lambda settings: [str(settings.optim.plain()["momentum"])]]
    assert run_checks(check, SETTINGS, ["optim.lr"]) == []
    assert run_checks(check, SETTINGS, ["trainer.devices"]) == ["0.9"]


def test_faults_of_a_check_itself_are_not_hidden():
    with pytest.raises(AttributeError, match="lrr"):
        run_checks([told(("optim", "lrr"))], SETTINGS, ["optim.lr"])
