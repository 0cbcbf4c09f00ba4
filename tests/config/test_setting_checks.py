import pytest

from stvit_video.config.setting_checks import run_checks

SETTINGS = {"seed": 1, "optim": {"lr": 2, "min_lr": 3, "betas": [0.9, 0.99]}, "trainer": {"devices": {"a": 1}}}


def told(*reads):
    return lambda settings: [f"{group}.{key}={settings[group][key]}" for group, key in reads]


CHECKS = [
    told(("optim", "lr")),
    told(("optim", "min_lr"), ("optim", "betas")),
    lambda settings: [f"seed={settings['seed']}"],
    lambda settings: [f"{len(settings['optim'])} of {sorted(settings['optim'])}", *settings["trainer"]["devices"]],
]


@pytest.mark.parametrize(
    ("wrong", "left"),
    [
        ((), (0, 1, 2, 3)),
        (("optim.lr",), (1, 2, 3)),  # of the same group, and its names, but not its value
        (("optim.betas", "seed"), (0, 3)),
        (("trainer.devices",), (0, 1, 2)),
        (("trainer.devices.a",), (0, 1, 2, 3)),
        (("optim",), (2,)),
    ],
)
def test_only_checks_that_read_a_wrong_setting_are_left_out(wrong, left):
    found = [["optim.lr=2"], ["optim.min_lr=3", "optim.betas=[0.9, 0.99]"], ["seed=1"]]
    found.append(["3 of ['betas', 'lr', 'min_lr']", "a"])
    assert run_checks(CHECKS, SETTINGS, wrong) == [text for place in left for text in found[place]]


def test_a_check_that_takes_a_whole_group_reads_all_of_it():
    assert run_checks([lambda settings: [str(dict(settings["optim"]))]], SETTINGS, ["optim.lr"]) == []
    assert run_checks([lambda settings: [str(dict(settings["optim"]))]], SETTINGS, []) == [str(SETTINGS["optim"])]


def test_faults_of_a_check_itself_are_not_hidden():
    with pytest.raises(KeyError, match="lrr"):
        run_checks([told(("optim", "lrr"))], SETTINGS, ["optim.lr"])
