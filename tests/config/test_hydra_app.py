import sys
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationKeyError

from stvit_video.config.hydra_app import JobFailedError, end_job, quote_patterns, run_command
from stvit_video.settings.paths import CONF_DIR
from stvit_video.utils.command_line import Command
from stvit_video.utils.exit_status import CommandEnd

COMMAND = Command(prog="python -m this", summary="Does it.", examples=("python -m this a=1", "python -m this b=1"))


def ended(monkeypatch, capsys, error, *arguments, cause=None):
    """Status and stderr of a command that raises the error."""
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr("sys.argv", ["this", *arguments])

    def main():
        raise error from cause

    with pytest.raises(SystemExit) as caught:
        run_command(main, COMMAND, config_name="train")
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "cause", "status", "words"),
    [
        (HydraException("no such key"), KeyError("x"), 2, "error: no such key\n'x'\n"),
        (ValueError("a=3 must be 4"), None, 2, "error: a=3 must be 4\n"),
        (CommandEnd(ValueError("a=3 must be 4")), None, 2, "error: a=3 must be 4\n"),
        (CommandEnd(RuntimeError("all is lost")), None, 1, "error: all is lost\n"),
        (JobFailedError("all is lost"), ValueError("all is lost"), 1, "error: all is lost\n"),
        (PermissionError(13, "Denied", "/out"), None, 1, "error: /out can't be written or read (Denied)\n"),
        (
            ValueError("Unable to configure handler 'file'"),
            OSError(30, "Read-only file system", "/out/evaluate.log"),
            *(1, "error: /out can't be written or read (Read-only file system)\n"),
        ),
        (KeyboardInterrupt(), None, 130, ""),
    ],
)
def test_a_command_ends_with_one_sentence(monkeypatch, capsys, error, cause, status, words):
    assert ended(monkeypatch, capsys, error, cause=cause) == (status, words)


def test_debug_shows_the_traceback_and_is_not_for_hydra(monkeypatch, capsys):
    status, words = ended(monkeypatch, capsys, ValueError("a=3 must be 4"), "seed=1", "--debug")
    assert status == 2
    assert words.startswith("Traceback")
    assert words.endswith("\nerror: a=3 must be 4\n")
    assert sys.argv == ["this", "seed=1"]


def test_unknown_switches_are_one_sentence(monkeypatch, capsys):
    status, words = ended(monkeypatch, capsys, AssertionError, "--lr", "3")
    assert (status, words.count("\n")) == (2, 1)
    assert words.startswith("error: unrecognized arguments: --lr; settings are key=value")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("num_worker=2", "num_worker is no setting; did you mean num_workers?"),
        ("data.rot=x", "data.rot is no setting; did you mean data.root?"),
        ("quux=2", "quux is no setting; the settings are data, parts, frames, "),
    ],
)
def test_the_closest_setting_is_named(monkeypatch, capsys, override, words):
    monkeypatch.setattr("sys.argv", ["this"])

    def main():
        with initialize_config_dir(CONF_DIR, version_base="1.3"):
            compose("doctor", overrides=[override])

    with pytest.raises(SystemExit) as caught:
        run_command(main, COMMAND, config_name="doctor")
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_help_stands_before_hydras(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["this", "--help"])
    run_command(lambda: print("Hydra's"), COMMAND, config_name="train")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "usage: python -m this [key=value ...]"
    assert "  python -m this b=1" in lines
    assert "  python -m this --cfg job               all of them, as they are with the settings beside it" in lines
    assert lines[-1] == "Hydra's"


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
    run_command(lambda: seen.extend(sys.argv), COMMAND, config_name="train")
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


@pytest.mark.parametrize(("mode", "kind"), [(RunMode.RUN, CommandEnd), (RunMode.MULTIRUN, JobFailedError)])
def test_a_failed_job_of_hydras_sweep_does_not_end_the_process(monkeypatch, mode, kind, tmp_path):
    folder = tmp_path / "2026-11-28" / "09-17-11"
    folder.mkdir(parents=True)
    hydra = SimpleNamespace(mode=mode, runtime=SimpleNamespace(output_dir=str(folder)))
    monkeypatch.setattr(HydraConfig, "get", lambda: hydra)
    error = ValueError("a=3 must be 4")
    with pytest.raises(kind) as caught:
        end_job(error)
    assert caught.value.__cause__ is error
    assert folder.is_dir() == (mode == RunMode.MULTIRUN)  # a sweep keeps the folders of its jobs


def test_an_error_is_told_in_settings(monkeypatch, capsys):
    status, words = ended(monkeypatch, capsys, ValueError("lower batch_size, or set cache='none'"))
    assert (status, words) == (2, "error: lower data.batch_size, or set data.cache=none\n")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.root=/my (1)/a=b", """; write 'data.root="/my (1)/a=b"'\n"""),
        ("data.root=/a,b", """; write 'data.root="/a,b"' for one text"""),
    ],
)
def test_what_hydra_can_not_read_is_shown_in_the_form_that_works(monkeypatch, capsys, override, words):
    status, told = ended(monkeypatch, capsys, HydraException("token recognition error"), override)
    assert status == 2
    assert told.startswith(f"error: {override} ")
    assert words in told
    assert told.count("\n") == 1


def test_a_reference_to_nothing_is_one_sentence_whose_ways_work(monkeypatch):
    """The text of a shell's variable in single quotes, where the shell does not replace it."""
    hydra = SimpleNamespace(mode=RunMode.RUN, runtime=SimpleNamespace(output_dir="gone"))
    monkeypatch.setattr(HydraConfig, "get", lambda: hydra)
    monkeypatch.setenv("ODD_FOLDER", "/there")
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        roots = ["${ODD_FOLDER}", "${oc.env:ODD_FOLDER}", "\\${ODD_FOLDER}"]
        nothing, variable, text = (compose("train", overrides=["data=folder", f"data.root={root}"]) for root in roots)
    with pytest.raises(InterpolationKeyError) as raised:
        OmegaConf.to_container(nothing, resolve=True)
    with pytest.raises(CommandEnd) as caught:
        end_job(raised.value)
    told = str(caught.value.__cause__)
    assert told.startswith("data.root refers to a setting ODD_FOLDER, which there is not; write ${oc.env:ODD_FOLDER} ")
    assert "or \\${ODD_FOLDER} for the text" in told
    assert (variable.data.root, text.data.root) == ("/there", "${ODD_FOLDER}")
