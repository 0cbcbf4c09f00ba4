import sys

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from stvit_video.config.hydra_app import quote_patterns, run_command
from stvit_video.settings.paths import CONF_DIR


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
