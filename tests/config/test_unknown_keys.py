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
    ("arguments", "marked"),
    [
        ("model.embed_dims=[3,5]", "+model.embed_dims=[3,5]"),  # the default model's files have it not
        ("model=video_deit_tiny model.num_tokens=3", "model=video_deit_tiny +model.num_tokens=3"),
        ("model=video_deit_tiny +experiment=photo_motion model.num_tokens=3", ""),
        ("model.embed_dims=[3,5] +experiment=cifar10_swin model.embed_dim=7", "+model.embed_dims=[3,5]"),
        ("data.split=2", "+data.split=2"),  # of data=ucf101 alone
        ("data.split=2 data=ucf101", ""),
        ("foo.bar=1 foo.bar=2", "+foo.bar=1"),  # the second one finds it
        ("+foo.bar=1 foo.bar=2 ++foo.baz=3 foo.baz=4", ""),
        ("protocol={num_clips:3} optim={lr:1}", ""),
        ("protocol={num_clipz:3}", "+protocol={num_clipz:3}"),
        ("seed.x=3 optim.lr=${x}", "+seed.x=3"),
        ("experiment=ssv2 optim=sgd", "+experiment=ssv2"),  # a group of which nothing is chosen yet
        ("experiment=none lrr=3", "+experiment=none"),  # Hydra ends at the first
        ("hydra.run.dir=/x hydra/launcher=basic hydra.job.name=a", ""),
    ],
)
def test_what_is_there_depends_on_the_chosen_files(arguments, marked):
    given = arguments.split()
    expected = [next((new for new in marked.split() if new == f"+{text}"), text) for text in given]
    assert mark_unknown(given, config_name="train") == expected


def test_names_of_evaluate_are_its_own():
    given = ["model.num_tokens=3", "model.tokens=3", "optim.lr=1", "protocol=mvit", "data=csv"]
    marked = ["model.num_tokens=3", "+model.tokens=3", "+optim.lr=1", "protocol=mvit", "+data=csv"]
    assert mark_unknown(given, config_name="evaluate") == marked


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["optim.lr=1"], ["model=vit"], ["optim.betas.x=3"], ["=="], ["--cfg", "job", "optim.lrr=1"]),
        *(["~optim.foo"], ["optim.lrr=1,2"], ["foo@bar=1"], ["model=vit", "optim.lrr=1"]),
    ],
)
def test_all_else_is_left_to_hydra(arguments):
    assert mark_unknown(arguments, config_name="train") == arguments
