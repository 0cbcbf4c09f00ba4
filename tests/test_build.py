import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from stvit_video.build import (
    CONF_DIR,
    build_mixing,
    build_multi_scale,
    build_preprocessing,
    build_sampling,
    build_train_transform,
    quote_patterns,
    run_command,
)


def test_a_command_ends_with_one_sentence(monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def fails(error, cause=None):
        def main():
            raise error from cause

        with pytest.raises(SystemExit) as caught:
            run_command(main)
        return caught.value.code

    assert fails(HydraException("no such key"), KeyError("x")) == "error: no such key\n'x'"
    unwritable = PermissionError(13, "Permission denied", "/out")
    assert fails(unwritable) == "error: /out can't be written or read (Permission denied)"


def test_braces_of_shards_reach_hydra(monkeypatch):
    plain = [
        "data=shards",
        "data.shards=/a/{000..099}.tar",
        "data.val_shards=b",
        'data.val="/c/{a,b}.tar"',
        "data.root={",
    ]
    quoted = [
        "data=shards",
        'data.shards="/a/{000..099}.tar"',
        "data.val_shards=b",
        'data.val="/c/{a,b}.tar"',
        "data.root={",
    ]
    assert quote_patterns(plain) == quoted
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        data = compose("train", overrides=quote_patterns(plain[:3])).data
    assert (data.source, data.shards, data.val_shards) == ("shards", "/a/{000..099}.tar", "b")
    seen = []
    monkeypatch.setattr("sys.argv", ["train", *plain])
    run_command(lambda: seen.extend(sys.argv))
    assert seen == ["train", *quoted]


def test_overrides_inside_an_override_reach_hydra():
    plain = [
        "sweep.also=model=a model.b=1",
        "sweep.also='model=a'",
        "sweep.also=[x]",
        'sweep.also=model="it\'s"',
        "a=b=c",
    ]
    quoted = quote_patterns(plain)
    assert quoted == ["sweep.also='model=a model.b=1'", *plain[1:]]
    assert OverridesParser.create().parse_override(quoted[0]).value() == "model=a model.b=1"


def test_preprocessing_and_configuration_folder():
    data = {"num_frames": 3, "frame_stride": 2, "short_side": 20, "crop_size": 16, "mean": [0.5] * 3, "std": [0.2] * 3}
    assert build_preprocessing(data).crop_size == 16
    assert (Path(CONF_DIR) / "train.yaml").is_file()


AUGMENT = {
    "crop": "random",
    "scale": [0.3, 0.9],
    "ratio": [0.5, 2.0],
    "short_side_jitter": [20, 24],
    "flip_probability": 0.25,
    "colour_jitter": 0.4,
    "hue_jitter": 0.1,
    "rand_augment": "rand-m7-n4",
    "erase_probability": 0.2,
    "erase_count": 3,
    "mixup_alpha": 0.8,
    "cutmix_alpha": 0.0,
    "mix_probability": 0.7,
    "cutmix_share": 0.6,
    "on_device": True,
}


def test_every_augmentation_setting_arrives():
    sizes = build_preprocessing(
        {"num_frames": 3, "frame_stride": 2, "short_side": 20, "crop_size": 16, "mean": [0.5] * 3, "std": [0.2] * 3}
    )
    transform, mixing = build_train_transform(AUGMENT, sizes), build_mixing(AUGMENT)
    found = {name: getattr(transform, name) for name in AUGMENT if hasattr(transform, name)}
    found |= {name: getattr(transform.pixels, name) for name in AUGMENT if hasattr(transform.pixels, name)}
    found |= {"mixup_alpha": mixing.mixup_alpha, "cutmix_alpha": mixing.cutmix_alpha}
    found |= {"mix_probability": mixing.probability, "cutmix_share": mixing.cutmix_share}
    assert {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()} == AUGMENT
    assert build_train_transform(AUGMENT | {"short_side_jitter": None}, sizes).short_side_jitter is None


def test_no_mixing_where_nothing_is_mixed():
    assert build_mixing(AUGMENT | {"mixup_alpha": 0.0}) is None
    assert build_mixing(AUGMENT | {"mix_probability": 0.0}) is None


def test_unknown_operations_and_contradictions_are_errors():
    data = {"sampling": "dense", "target_fps": 30, "short_video": "loop"}
    assert build_sampling(data).target_fps == 30
    with pytest.raises(ValueError, match="target_fps=30 has no effect beside sampling='segments'"):
        build_sampling(data | {"sampling": "segments"})
    with pytest.raises(ValueError, match="rand_augment='rand-blur3' can't be read; write rand-m7-n4-mstd0.5-inc1"):
        build_train_transform(AUGMENT | {"rand_augment": "rand-blur3"}, None)


def test_sizes_of_the_data_settings():
    data = {"crop_size": 24, "batch_size": 12, "num_repeats": 3, "multi_scale_batch": "at_least"}
    assert build_multi_scale(data | {"multi_scale": None}) is None
    built = build_multi_scale(data | {"multi_scale": [32, 16]})
    assert (built.sizes, built.videos(16), built.videos(32)) == ((16, 32), 9, 4)
    with pytest.raises(ValueError, match=r"^multi_scale=\[16\] must be two or more"):
        build_multi_scale(data | {"multi_scale": [16]})
