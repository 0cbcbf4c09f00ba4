import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.config.unknown_keys import known_settings, mark_unknown, unknown_faults
from stvit_video.settings.paths import CONF_DIR


def settings_for(*overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        settings = OmegaConf.to_container(compose("train", overrides=["data.root=/x", *overrides]), resolve=False)
    settings.pop("sweep")
    return settings


@pytest.mark.parametrize("overrides", [[], ["data=pytorchvideo", "trainer=fsdp", "optim=sgd"], ["+experiment=ssv2"]])
def test_what_the_files_have_is_known(overrides):
    assert unknown_faults(settings_for(*overrides)) == []


def test_every_other_name_is_told_with_the_closest_one():
    settings = settings_for("+optim.lrr=1", "+sead=3", "+distill.teacher_path=a", "+trainer.x={a: 1}", "+new.thing=1")
    assert unknown_faults(settings) == [
        "sead is no setting; did you mean seed?",
        "new is no setting; python -m stvit_video.train --cfg job prints all that there are",
        "optim.lrr is no setting; did you mean optim.lr?",
        "trainer.x is no setting; python -m stvit_video.train --cfg job prints all that there are",
        "distill.teacher_path is no setting; did you mean distill.teacher?",
    ]


def test_names_are_those_of_all_files():
    assert {
        "seed",
        "optim",
        "optim.momentum",
        "data.shards",
        "protocol.num_clips",
        "augment.mixup_alpha",
    } <= known_settings()
    assert not {"defaults", "model.name", "hydra.run", "data.defaults"} & known_settings()


def test_unknown_settings_of_the_command_line_are_marked_for_hydra(monkeypatch):
    given = ["optim.lrr=1", "+experiment=ssv2", "modell=3", "foo.bar=2", "foo.baz=2", "optim.lr=2", "model.tokens=3"]
    marked = [
        "+optim.lrr=1",
        "+experiment=ssv2",
        "+modell=3",
        "+foo.bar=2",
        "+foo.baz=2",
        "optim.lr=2",
        "+model.tokens=3",
    ]
    assert mark_unknown(given, config_name="train") == marked
    assert unknown_faults(settings_for(*marked)) == [
        "modell is no setting; did you mean model?",
        "foo is no setting; python -m stvit_video.train --cfg job prints all that there are",
        "optim.lrr is no setting; did you mean optim.lr?",
    ]


@pytest.mark.parametrize(
    "arguments",
    [[], ["optim.lr=1"], ["model=vit"], ["optim.betas.x=3"], ["=="], ["--cfg", "job", "optim.lrr=1"], ["~optim.foo"]],
)
def test_all_else_is_left_to_hydra(arguments):
    assert mark_unknown(arguments, config_name="train") == arguments
