"""The report command over folders as our launcher and Hydra's leave them."""

import json
import re

import pytest

from stvit_video.sweep import COMMAND, main, read_sweep
from stvit_video.sweeps.jobs import Job, JobTable

RESULT = {
    "model": "stvit_video_deit_tiny",
    "reducer": "semantic",
    "num_tokens": 8,
    "top1": 0.5,
    "gmacs_per_view": 2.0,
    "inference_clips_per_second": 30.0,
    "speed_measured": {"date": "today"},
}


def write_result(folder, **values):
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(RESULT | values))


@pytest.fixture
def ours(tmp_path):
    """Two seeds of 8 tokens, one run that failed, one that says "done" and has lost its result, one that runs."""
    folder = tmp_path / "ours"
    for number, top1 in ((0, 0.25), (1, 0.75)):
        write_result(folder / str(number), top1=top1)
    states = ("done", "done", "failed", "done", "running")
    jobs = [
        Job(number=n, overrides=(f"seed={n}",), run_dir=f"multirun/ours/{n}", state=state, message="why" * (n == 2))
        for n, state in enumerate(states)
    ]
    JobTable(folder / "jobs.csv", jobs)
    return folder


def test_the_report_of_our_launcher(ours, capsys):
    assert main([str(ours)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "stvit_video_deit_tiny, semantic 8 tokens: 0.5000 +- 0.3536 (min 0.2500, max 0.7500, 2 runs), 2 GMACs, "
        "30.0 clips/s, on the front",
        "2 failed: why",
        "3 no result: there is no result.json",
        "4 running: ",
        f"report.csv, report.png and report.html are in {ours}",
    ]
    page = (ours / "report.html").read_text()
    assert re.search("<h1[^>]*>Sweep ours</h1>", page)
    assert re.search("<td[^>]*>why</td>", page)
    assert len(page) < 300_000
    assert (
        (ours / "report.csv").read_text().splitlines()[1].startswith('"stvit_video_deit_tiny, semantic",8 tokens,8,2,')
    )
    assert (ours / "report.png").read_bytes()[:4] == b"\x89PNG"


def test_chance_and_the_folder_of_the_files_can_be_chosen(ours, tmp_path, capsys):
    assert main([str(ours), "over=x", f"output={tmp_path}/a/b"]) == 0
    told = capsys.readouterr().out
    assert "8 tokens, seed=0: 0.2500" in told
    assert (
        "mind: 2 points cost 2 GMACs, within 5%: cost does not tell 8 tokens, seed=0 and 8 tokens, seed=1 apart" in told
    )
    assert len(list((tmp_path / "a" / "b").glob("report.*"))) == 3


def test_many_warnings_are_counted(tmp_path, capsys):
    for number in range(14):
        write_result(
            tmp_path / str(number), num_tokens=number + 1, gmacs_per_view=2.0 ** (number // 2), top1=number / 14
        )
    assert main([str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("mind: 2 points cost ") for line in told) == 5
    assert "mind: 2 more such sentences in report.html" in told


def test_folders_of_hydras_launchers(tmp_path):
    for number in (10, 9):
        write_result(tmp_path / str(number))
        for day, seed in ((1, 77), (2, number)):
            noted = tmp_path / str(number) / ".hydra" / f"2026-11-0{day}_10-00-00"
            noted.mkdir(parents=True)
            (noted / "overrides.yaml").write_text(f"- seed={seed}\n- a='b, c'\n")
    (tmp_path / "11" / ".hydra").mkdir(parents=True)
    (tmp_path / ".submitit").mkdir()
    runs, unfinished = read_sweep(tmp_path)
    assert [(run.name, run.overrides) for run in runs] == [
        ("9", ("seed=9", "a='b, c'")),
        ("10", ("seed=10", "a='b, c'")),
    ]
    assert [(run.name, run.state, run.reason) for run in unfinished] == [("11", "no result", "there is no result.json")]


def test_several_labels_a_video_and_no_mixture(tmp_path, capsys):
    write_result(tmp_path / "0", mean_average_precision=0.25, top1=None)
    write_result(tmp_path / "1", mean_average_precision=0.5, top1=None)
    for number in (0, 1):
        path = tmp_path / str(number) / "result.json"
        path.write_text(
            json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "top1"})
        )
    assert main([str(tmp_path)]) == 0
    assert "0.3750 +- 0.1768 (min 0.2500, max 0.5000, 2 runs)" in capsys.readouterr().out
    write_result(tmp_path / "2")
    assert main([str(tmp_path)]) == 2
    assert re.search("one label a video, .*several", capsys.readouterr().err)


def test_runs_with_a_page_are_links_from_wherever_the_report_is(ours, tmp_path):
    (ours / "0" / "report.html").write_text("a page")
    (ours / "2").mkdir()
    (ours / "2" / "report.html").write_text("a page")
    assert main([str(ours), f"output={tmp_path}/a/b"]) == main([str(ours)]) == 0
    for folder, start in ((ours, ""), (tmp_path / "a" / "b", "../../ours/")):
        links = re.findall('<a href="([^"]*)"', (folder / "report.html").read_text())
        assert set(links) == {f"{start}0/report.html", f"{start}2/report.html"}
        assert all((folder / link).is_file() for link in links)


def test_the_page_has_the_name_of_the_folder_that_is_called_a_dot(ours, monkeypatch):
    monkeypatch.chdir(ours)
    assert main(["."]) == 0
    assert re.search("<h1[^>]*>Sweep ours</h1>", (ours / "report.html").read_text())


def test_a_sweep_of_failures_has_a_page(tmp_path, capsys):
    JobTable(tmp_path / "jobs.csv", [Job(number=0, overrides=(), run_dir="0", state="timed out", message="too slow")])
    assert main([str(tmp_path), f"output={tmp_path}/b"]) == 2
    assert capsys.readouterr().err.endswith(f"(0 timed out: too slow); {tmp_path}/b/report.html lists them\n")
    assert "too slow" in (tmp_path / "b" / "report.html").read_text()
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["report.html"]


def test_a_folder_that_can_not_be_written_is_named(ours, capsys):
    (ours / "report.csv").mkdir()
    (ours / "file").touch()
    for output in (ours, ours / "file"):
        assert main([str(ours), f"output={output}"]) == 1
        told = capsys.readouterr().err
        assert re.search(f"{output} can't be written .*; give another folder by output=FOLDER\n$", told)
        assert ".part" not in told


def test_folders_that_are_none_of_a_sweep(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    JobTable(tmp_path / "jobs.csv", [Job(number=0, overrides=(), run_dir="0", state="timed out", message="too slow")])
    for folder, words in (
        (tmp_path / "nowhere", "error: .*no folder .*nowhere"),
        (tmp_path / "empty", "empty .*neither jobs.csv nor folders of runs"),
        (tmp_path, r"\(0 timed out: too slow\)"),
    ):
        assert main([str(folder)]) == 2
        told = capsys.readouterr()
        assert re.search(words, told.err)
        assert told.err.count("\n") == 1
    assert main(["--unknown"]) == 2


def test_options_of_before_mean_the_same():
    new = COMMAND.parse(["a", "over=x,y", "output=b", "--measure"])
    assert new.over == ("x", "y")
    assert COMMAND.parse(["--over", "x,y", "--output=b", "a", "--measure"]) == new


def test_detectors_are_compared_by_their_ap(tmp_path, capsys):
    costs = {"gmacs_detector": 3.0, "inference_pictures_per_second": 5.0, "picture_size": [64, 96]}
    for number, (head, ap) in enumerate((("retinanet", 0.25), ("mask_rcnn", 0.5), ("mask_rcnn", 0.75))):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = {"model": "casvit_xs", "head": head, "AP": ap, "AP50": ap, **costs}
        (folder / "result.json").write_text(json.dumps(result))
        (folder / ".hydra" / "a").mkdir(parents=True)
        (folder / ".hydra" / "a" / "overrides.yaml").write_text(f"- head={head}\n- seed={number}\n")
    assert main([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "retinanet, casvit_xs: 0.2500 (min 0.2500, max 0.2500, 1 run), 3 GMACs, 5.0 pictures/s" in told
    assert "mask_rcnn, casvit_xs: 0.6250 +- 0.1768 (min 0.5000, max 0.7500, 2 runs), 3 GMACs" in told
    head, *rows = (tmp_path / "report.csv").read_text().splitlines()
    assert head.startswith("series,setting,num_tokens,gmacs_per_picture,pictures_per_second,AP_mean,std")
    assert "AP50_mean" in head
    assert len(rows) == 2
    write_result(tmp_path / "9")
    assert main([str(tmp_path)]) == 2
    assert "find objects or label pixels; report them apart" in capsys.readouterr().err
