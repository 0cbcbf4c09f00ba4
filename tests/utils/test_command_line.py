"""The parser of all command lines, on a command of the test."""

from pathlib import Path

import pytest

from stvit_video.utils.command_line import Command, CommandLineError, Positional, Setting, Switch, asks_for_help
from stvit_video.utils.value_kinds import PATH, TEXT, YES_NO, one_of, whole, whole_numbers

COMMAND = Command(
    prog="python -m make",
    summary="Makes it.",
    positional=Positional(name="files", sign="FILE", help="a video", is_many=True),
    settings=(
        Setting(name="num_clips", kind=whole(low=1), help="clips", default=4),
        Setting(name="crops", kind=whole_numbers(), help="crops", default_words="all"),
        Setting(name="average", kind=one_of(("prob", "logit")), help="mean"),
        Setting(name="transcode", kind=YES_NO, help="copy", default=False),
        Setting(name="out", kind=PATH, help="folder", aliases=("output",)),
        Setting(name="top_k", kind=whole(low=1), help="labels", default=5),
        Setting(name="threshold", kind=TEXT, help="least", excludes=("top_k",)),
    ),
    switches=(Switch("measure", "measure anew"),),
    examples=("python -m make a.mp4", "python -m make a.mp4 num_clips=3"),
    notes="That is all.",
)
SMALL = Command(
    prog="small",
    word="do",
    summary="Less.",
    examples=("small do n=1", "small do n=2"),
    settings=(Setting(name="n", kind=whole(low=2), help="a number", is_needed=True),),
)


def test_settings_switches_and_files_in_any_order():
    given = COMMAND.parse(["a b.mp4", "num_clips=3", "--measure", "num_clips=7", "--", "-d.mp4", "out=5.mp4"])
    assert (given.num_clips, given.crops, given.measure, given.transcode) == (7, None, True, False)
    assert given.files == (Path("a b.mp4"), Path("-d.mp4"), Path("out=5.mp4"))
    assert COMMAND.parse(["x", "out=a=b"]).out == Path("a=b")
    assert COMMAND.parse(["x", "crops=null", "-3"]).files == (Path("x"), Path("-3"))


@pytest.mark.parametrize(
    ("plain", "others"),
    [
        (["num_clips=3"], [["--num-clips", "3"], ["--num-clips=3"], ["--num_clips", "3"], ["--num_clips=3"]]),
        (["crops=0,2"], [["--crops", "0,2"], ["--crops=0,2"]]),
        (["transcode=true"], [["--transcode"], ["--transcode=true"], ["--transcode=True"]]),
        (["transcode=false"], [["--transcode=false"], []]),
        (["out=a=b"], [["--out", "a=b"], ["--out=a=b"], ["output=a=b"], ["--output", "a=b"]]),
        (["top_k=3", "average=prob"], [["--top-k", "3", "--average", "prob"], ["--average=prob", "--top-k=3"]]),
    ],
)
def test_options_with_dashes_mean_the_same(plain, others):
    expected = COMMAND.parse(["f.mp4", *plain])
    for words in others:
        found = COMMAND.parse([*words, "f.mp4"])
        assert found == expected
        assert found.named == (expected.named if words else set())  # a default that is given is named, too


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        # the whole sentence, once for its family
        (["x", "--num-clip", "0"], "--num-clip is no setting; did you mean num_clips?"),
        (["num_clip=3"], "num_clip is no setting; did you mean num_clips? (a file of this name goes after '--')"),
        (
            ["-x.mp4"],
            "-x.mp4 is no setting; the settings are num_clips, crops, average, transcode, out, top_k, threshold, "
            "--measure (a file of this name goes after '--')",
        ),
        (["x", "--outptu=3"], "--outptu is no setting; did you mean out?"),
        (["x", "--mesure"], "--mesure is no setting; did you mean --measure?"),
        (
            ["x", "-v"],
            "-v is no setting; the settings are num_clips, crops, average, transcode, out, top_k, threshold, --measure",
        ),
        (["x", "num_clips=0"], "num_clips='0' must be a whole number, at least 1, such as num_clips=4"),
        (["x", "average=logits"], "average='logits' must be one of prob, logit; did you mean logit?"),
        (["x", "num_clips=null"], "num_clips='null' must be a whole number, at least 1, such as num_clips=4"),
        (["x", "--crops", "--measure"], "crops has no value; give one, such as crops=0,2"),
        (["x", "top_k=2", "threshold=3"], "threshold and top_k exclude each other; give one of them"),
        ([], "FILE is missing; give one or more, a video"),
    ],
)
def test_a_fault_is_one_sentence(words, faults):
    with pytest.raises(CommandLineError) as caught:
        COMMAND.parse(words)
    assert str(caught.value) == faults


def test_all_faults_are_told_together():
    with pytest.raises(CommandLineError) as caught:
        COMMAND.parse(["num_clips=0", "crop=1", "average=sum", "--measured"])
    assert [text.split()[0] for text in str(caught.value).split("; ") if " is no " in text or "must" in text] == [
        "crop",
        "--measured",
        "num_clips='0'",
        "average='sum'",
    ]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["n=3"], "the first word must be do, got 'nothing'"),
        (["don", "n=3"], "the first word must be do, got 'don'"),
        (["do"], "n is missing; give n=4"),
        (["do", "--n"], "n has no value; give one, such as n=4"),
        (["do", "n=3", "x"], "'x' is no setting; settings are key=value, see --help"),
    ],
)
def test_a_first_word_and_needed_settings(words, fault):
    assert SMALL.parse(["do", "n=3"]).n == 3
    with pytest.raises(CommandLineError) as caught:
        SMALL.parse(words)
    assert str(caught.value) == fault


def test_one_file_where_one_is_wanted():
    one = Command(
        prog="p", summary="s", examples=(), positional=Positional(name="path", sign="LEDGER", help="a ledger")
    )
    assert one.parse(["a"]).path == Path("a")
    with pytest.raises(CommandLineError, match="^2 words are given for LEDGER; give one, a ledger$"):
        one.parse(["a", "b"])


def test_help_shows_every_setting_with_its_default_and_the_examples(capsys):
    assert COMMAND.run(lambda given: 1, ["--help", "nonsense=1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "usage: python -m make FILE [FILE ...] [key=value ...]"
    assert "  num_clips=N               clips (default: 4)" in lines
    assert "  crops=N,N                 crops (default: all)" in lines
    assert "  average=prob|logit        mean (default: none)" in lines
    assert "  transcode=true|false      copy (default: false)" in lines
    assert "  --measure                 measure anew" in lines
    assert "  python -m make a.mp4 num_clips=3" in lines
    assert lines[-1] == "That is all."
    assert "  n=N                       a number (needed)" in SMALL.help_text().splitlines()
    assert not asks_for_help(["a", "--", "--help"])


def test_status_sentence_and_traceback(capsys):
    assert COMMAND.run(lambda given: None, ["a"]) == 0
    assert COMMAND.run(lambda given: 1, ["a"]) == 1
    assert COMMAND.run(lambda given: None, ["num_clip=3"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert COMMAND.run(lambda given: None, ["num_clip=3", "--debug"]) == 2
    assert capsys.readouterr().err.startswith("Traceback")

    def fails(given):
        raise EOFError("no more")

    assert COMMAND.run(fails, ["a"], failures=(EOFError,)) == 1
    assert capsys.readouterr().err == "error: no more\n"


def test_the_words_of_the_process(monkeypatch):
    monkeypatch.setattr("sys.argv", ["prog", "a", "num_clips=3"])
    assert COMMAND.run(lambda given: given.num_clips) == 3
