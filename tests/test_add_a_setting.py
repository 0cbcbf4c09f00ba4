"""The worked example of docs/develop/add_a_setting.md, taken from the page and run in a copy of the package."""

import pytest
from extended_copy import blocks, copy_package, insert, page, run

pytestmark = pytest.mark.commands

FIELD, RULE = blocks(page("add_a_setting.md"))
(GIVEN,) = blocks(page("add_a_setting.md"), "text")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = copy_package(tmp_path_factory.mktemp("repository"))
    package = root / "stvit_video"
    insert(package / "settings" / "optim_settings.py", FIELD, before="    warmup_lr: NonNegative")
    insert(package / "factories" / "training.py", GIVEN, before="        warmup_lr=optim.warmup_lr")
    insert(
        package / "training" / "optim.py", "    cooldown_epochs: float = 0.0\n", before="    warmup_lr: float = 0.0\n"
    )
    rules = package / "config" / "optim_consistency.py"
    insert(rules, f"{RULE}\n\n", before="SCHEDULE_CHECKS: tuple[Check, ...] = (\n")
    insert(rules, "    _cooldown_faults,\n", before="    _sharding_faults,\n)")
    return root


def test_its_faults_come_with_the_others(copy):
    command = ("-m", "stvit_video.train", "data.train=a.csv", "data.val=a.csv")
    told = run(copy, *command, "optim.cooldown_epochs=-1", "optim.lr=0", status=2)
    assert "optim.cooldown_epochs=-1 must be a number at least 0" in told
    assert "optim.lr=0 must be a number above 0" in told
    told = run(copy, *command, "optim.cooldown_epochs=25", status=2)
    assert "optim.cooldown_epochs=25 leaves nothing of trainer.max_epochs=30 after the warm-up; lower it" in told


def test_it_is_shown_and_reaches_the_part(copy):
    told = run(copy, "-m", "stvit_video.train", "--cfg", "job", "-p", "optim", "optim.cooldown_epochs=2")
    assert "cooldown_epochs: 2" in told
    code = (
        "from stvit_video.factories.training import build_optim\n"
        "from stvit_video.settings.optim_settings import OptimSettings\n"
        "from stvit_video.settings.train_settings import TrainSettings\n"
        "print(build_optim(TrainSettings(optim=OptimSettings(cooldown_epochs=2))).cooldown_epochs)"
    )
    assert run(copy, "-c", code).strip() == "2"
