import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.unknown_keys import (
    known_settings,
    mark_unknown,
    unknown_faults,
    unknown_overrides,
    with_layout_settings,
)
from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.train_settings import TrainSettings


def unknown_of(*overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        values = OmegaConf.to_container(compose("train", overrides=["data.root=/x", *overrides]), resolve=False)
    values.pop("sweep")
    return unknown_faults(read_with_layout(TrainSettings, values).unknown)


@pytest.mark.parametrize("overrides", [[], ["data=pytorchvideo", "trainer=fsdp", "optim=sgd"], ["+experiment=ssv2"]])
def test_what_is_declared_is_known(overrides):
    assert unknown_of(*overrides) == []


def test_every_other_name_is_told_with_the_closest_one():
    assert unknown_of("+optim.lrr=1", "+sead=3", "+distill.teacher_path=a", "+trainer.x={a: 1}", "+new.thing=1") == [
        "optim.lrr is no setting; did you mean optim.lr?",
        "trainer.x is no setting; python -m stvit_video.train --cfg job prints all that there are",
        "distill.teacher_path is no setting; did you mean distill.teacher?",
        "sead is no setting; did you mean seed?",
        "new is no setting; python -m stvit_video.train --cfg job prints all that there are",
    ]


def test_what_other_commands_call_the_folder_of_the_results():
    for name in ("run", "out"):
        (told,) = unknown_faults([name], config_name="evaluate")
        assert told == f"{name} is no setting; the folder of the results is hydra.run.dir=FOLDER"


def test_names_are_those_of_all_layouts_and_models():
    expected = {"seed", "optim", "optim.momentum", "data.shards", "protocol.num_clips", "augment.mixup_alpha"}
    assert expected | {"model.name", "model.embed_dims", "data.clip_sampler", "sweep.also"} <= known_settings()
    assert not {"defaults", "hydra.run", "data.defaults", "data.part"} & known_settings()
    assert {"data.shards", "num_measured", "data.mean"} <= known_settings("doctor")
    assert "data.shards" in known_settings("evaluate")
    assert "data.mean" not in known_settings("evaluate")


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
    assert unknown_of(*marked) == [
        "optim.lrr is no setting; did you mean optim.lr?",
        "modell is no setting; did you mean model?",
        "foo is no setting; python -m stvit_video.train --cfg job prints all that there are",
    ]


@pytest.mark.parametrize(
    ("arguments", "marked"),
    [
        ("model.embed_dims=[3,5]", "+model.embed_dims=[3,5]"),  # the default model's files have it not
        ("model=video_deit_tiny model.num_tokens=3", ""),  # another fault, which the model tells
        ("model=video_deit_tiny +experiment=photo_motion model.num_tokens=3", ""),
        ("model.embed_dims=[3,5] +experiment=cifar10_swin model.embed_dim=7", "+model.embed_dims=[3,5]"),
        ("data.split=2", "+data.split=2"),  # of data=ucf101 and two others
        ("data.split=2 data=ucf101", ""),
        ("foo.bar=1 foo.bar=2", "+foo.bar=1"),  # the second one finds it
        ("+foo.bar=1 foo.bar=2 ++foo.baz=3 foo.baz=4", ""),
        ("protocol={num_clips:3} optim={lr:1}", ""),
        ("protocol={num_clipz:3}", "+protocol={num_clipz:3}"),
        ("seed.x=3 optim.lr=${x}", "+seed.x=3"),
        ("experiment=ssv2 optim=sgd", "+experiment=ssv2"),  # a group of which nothing is chosen yet
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
        *([], ["optim.lr=1"], ["optim.betas.x=3"], ["=="], ["--cfg", "job", "optim.lrr=1"]),
        *(["~optim.foo"], ["optim.lrr=1,2"], ["foo@bar=1"], ["hydra.searchpath=[file:///x]", "model=mine"]),
    ],
)
def test_all_else_is_left_to_hydra(arguments):
    assert mark_unknown(arguments, config_name="train") == arguments


def test_doctor_and_its_layouts():
    given = ["data=ucf101", "data.split=2", "data.trian=x", "num_measured=0", "frame=all"]
    marked = ["data=ucf101", "data.split=2", "+data.trian=x", "num_measured=0", "+frame=all"]
    assert mark_unknown(given, config_name="doctor") == marked


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model=deit_tinny"], r"^model=deit_tinny is no choice; did you mean deit_tiny\?$"),
        (["model=vit"], r"^model=vit is no choice; choose one of casvit_m, .*, \.\.\. \(60 in all\)$"),
        (["optim=lion", "data=csvs"], r"^optim=lion is no choice; .*adamw, sgd; data=csvs is no choice; .*csv\?$"),
        (["+experiment=k40"], r"^experiment=k40 is no choice; did you mean k400\?$"),
        (["optim=3"], "^optim=3 is no choice; choose one of adamw, sgd$"),
        (["optim=[1]"], "^optim=1 is no choice; choose one of adamw, sgd$"),
        (["optim=null"], "^optim=null chooses nothing; leave it out, or choose one of its files$"),
    ],
)
def test_what_is_no_choice_is_told_with_the_closest(arguments, words):
    with pytest.raises(ValueError, match=words):
        mark_unknown(arguments, config_name="train")


def test_unknown_settings_of_a_sweep_are_told_together():
    given = ("model.num_tokenz=8", "seed=1", "data.split=2", "+new=3")
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        told = unknown_overrides(given, config_name="train")
        none = unknown_overrides(("seed=1", "data=ucf101", "data.split=2"), config_name="train")
    assert told == [
        "model.num_tokenz is no setting; did you mean model.num_tokens?",
        "data.split belongs to another choice than these, such as another data=...; leave it out",
    ]
    assert none == []


@pytest.mark.parametrize(("config_name", "why"), [("doctor", "for all tasks"), ("evaluate", "the checkpoint says it")])
@pytest.mark.parametrize("text", ["task=instance", "+task=detection", "task=none"])
def test_commands_without_a_task_say_so(config_name, why, text):
    with pytest.raises(ValueError, match=f"^{config_name} takes no task=.*{why}"):
        mark_unknown([text], config_name=config_name)
    if text != "task=none":
        assert mark_unknown([text], config_name="train") == [text]


def test_an_evaluation_takes_the_settings_of_any_layout():
    given = ["data.source=coco_folders", "data.val_json=a.json", "data.sequences=folders", "data.val=x", "key_every=4"]
    expected = [given[0], f"+{given[1]}", f"+{given[2]}", *given[3:]]
    assert with_layout_settings(given, config_name="evaluate") == expected
    assert with_layout_settings(given, config_name="train") == given  # data=NAME chooses them there
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("evaluate", overrides=[*expected, "ckpt_path=x"])
        assert unknown_overrides([*expected, "data.nothing=1"], config_name="evaluate") == unknown_faults(
            ["data.nothing"], config_name="evaluate"
        )
    assert (config.data.val_json, config.data.sequences, config.data.source) == ("a.json", "folders", "coco_folders")
