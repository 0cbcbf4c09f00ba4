"""demo: its settings, and what is told before anything is served. The server itself is tried in tests/webdemo."""

import re
import sys

import pytest

from stvit_video import demo as command
from stvit_video.demo import COMMAND, main


def test_arguments():
    given = COMMAND.parse(["ckpt_path=a.ckpt", "another=b", "port=0", "max_seconds=7.5", "num_threads=2"])
    assert (str(given.ckpt_path), str(given.another), given.port, given.host) == ("a.ckpt", "b", 0, "127.0.0.1")
    assert (given.max_megabytes, given.max_seconds, given.time_limit_seconds, given.keep_minutes) == (100, 7.5, 20, 10)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], r"train \+experiment=quickstart run=quick, then give ckpt_path=outputs/quick/best.ckpt"),
        (["another=x"], r"the demo needs a model"),
        (["ckpt_path=x", "bundle=y"], "bundle and ckpt_path exclude"),
        (["ckpt_path=x", "port=70000"], "port='70000' .*between 0 and 65535"),
        (
            ["ckpt_path=x", "host_names=http://a.lan"],
            r"host_names='http://a.lan' must be names .* such as host_names=gpu",
        ),
        (["ckpt_path=x", "max_megabytes=0"], "max_megabytes='0'"),
        (["ckpt_path=x", "max_seconds=0"], "max_seconds='0'"),
        (["ckpt_path=x", "share=true"], "share is no setting"),
    ],
)
def test_wrong_settings(arguments, told, capsys):
    assert main(arguments) == 2
    assert re.search(told, capsys.readouterr().err)


def test_without_gradio_one_sentence_says_how_to_install_it(monkeypatch, capsys, tiny_run):
    monkeypatch.setitem(sys.modules, "gradio", None)  # importing it fails, and it is not found
    assert main([f"ckpt_path={tiny_run.checkpoint}"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("error: the demo needs the library 'gradio'")
    assert "pip install 'stvit-video[demo]', in a clone pip install '.[demo]'" in told


def test_settings_reach_the_server(monkeypatch, elastic_run, tiny_run):
    served = []
    monkeypatch.setattr(command, "require_gradio", lambda: None)
    monkeypatch.setattr(command, "serve_demo", lambda models, **settings: served.append((models, settings)))
    words = [f"ckpt_path={elastic_run.checkpoint}", f"another={tiny_run.checkpoint}", "device=cpu", "port=81"]
    assert main([*words, "host=0.0.0.0", "host_names=GPUbox.lan,b", "max_megabytes=3", "keep_minutes=0.5"]) == 0
    ((models, settings),) = served
    assert [model.name.rpartition("/")[2] for model in models] == ["best.ckpt", "best.ckpt"]
    limits = settings.pop("limits")
    assert (limits.max_megabytes, limits.max_bytes, limits.max_seconds) == (3, 3_000_000, 120.0)
    assert settings == {"host": "0.0.0.0", "port": 81, "more_names": ("gpubox.lan", "b"), "keep_seconds": 30.0}


def test_what_is_given_under_the_wrong_name(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "require_gradio", lambda: None)
    (tmp_path / "bundle.json").write_text("{}")
    assert main([f"ckpt_path={tmp_path}"]) == 2
    assert f"give bundle={tmp_path}" in capsys.readouterr().err
