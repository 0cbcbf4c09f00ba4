"""prepare_kinetics.py as a command: the published labels, a miniature tree twice, and errors in one line."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from real_data import real_file
from stamped_video import SCREEN_MS, picture_numbers, timed_video
from video_maker import make_video

from stvit_video.data.decoding.video import open_video
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.shards.tar_reader import read_member

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_kinetics.py"
# As the published list begins, with ids of nobody.
KINETICS_FORM = """label,youtube_id,time_start,time_end,split,is_cc
abseiling,AAAAAAAAA-a,417,427,val,0
abseiling,BBBBBBBBB_b,36,46,val,0
abseiling,CCCCCCCCCCC,62,72,val,1
air drumming,DDDDDDDDDDD,0,10,val,0
"""


@pytest.fixture
def run(script, tmp_path, monkeypatch, capsys):
    """A function that runs the script's main in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = script.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture(params=["made", pytest.param("real", marks=pytest.mark.real_data)])
def kinetics_list(request, tmp_path):
    """The path of a Kinetics list and its number of rows; the real one is the published list of Kinetics-400."""
    if request.param == "real":
        return real_file("data", "kinetics_labels", "kinetics-400_val.csv"), 19906
    (tmp_path / "list.csv").write_text(KINETICS_FORM)
    return tmp_path / "list.csv", 4


def test_a_published_list_with_two_downloads(run, kinetics_list, tmp_path):
    path, num_rows = kinetics_list
    with path.open(newline="") as file:
        first, second = (next(rows) for rows in [csv.DictReader(file)] for _ in range(2))
    names = [f"{first['youtube_id']}.mp4", f"{second['label']}/{second['youtube_id']}_000036_000046.mp4"]
    (tmp_path / "downloads" / second["label"]).mkdir(parents=True)
    for name in names:
        make_video(tmp_path / "downloads" / name, num_frames=12)
    options = (f"csv={path}", "videos=downloads", "output=k400/val.csv", "num_workers=2")
    code, output, errors = run(*options)
    assert (code, errors) == (0, "")
    assert output.splitlines()[:3] == [
        f"{num_rows} videos are listed, 2 are there, {num_rows - 2} are missing",
        "k400/val.csv: 2 videos of 1 classes (2 val)",
        f"k400/val.left_out.csv: {num_rows - 2} videos, with reasons",
    ]
    records = read_csv_manifest(tmp_path / "k400" / "val.csv").records
    assert [record.path for record in records] == [tmp_path / "downloads" / name for name in names]
    copy = ("transcode=true", "short_side=32", "gop=5", "preset=ultrafast")
    assert "2 copies were made, 0 were there, 0 failed" in run(*options, *copy)[1]
    assert "0 copies were made, 2 were there, 0 failed" in run(*options, *copy)[1]
    records = read_csv_manifest(tmp_path / "k400" / "val.csv").records
    assert [record.video_id for record in records] == [
        f"val/abseiling/{first['youtube_id']}.mp4",
        f"val/abseiling/{second['youtube_id']}_000036_000046.mp4",
    ]
    assert all(record.path.is_file() for record in records)


@pytest.mark.parametrize(
    ("status", "argument", "message"),
    [
        (1, "csv=list.csv", "error: none of the 1 videos .*out.left_out.csv\n"),
        (2, "gop=0", "error: short_side=256 .*gop=0 at least 1"),
    ],
)
def test_errors_are_one_line(run, tmp_path, status, argument, message):
    (tmp_path / "list.csv").write_text("label,youtube_id,time_start,time_end,split\nrun,AAAAAAAAAAA,1,2,val\n")
    code, _, errors = run("videos=.", "output=out.csv", "csv=list.csv", argument)
    assert code == status
    assert re.match(message, errors), errors
    assert errors.count("\n") == 1


def test_the_script_runs_by_itself(tmp_path):
    command = [sys.executable, SCRIPT, "csv=gone.csv", "videos=.", "output=out.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    # the whole sentence, once for its family
    assert (done.returncode, done.stderr) == (2, "error: there is no manifest gone.csv; correct the path\n")


def write_downloads(folder, *, names):
    """Two classes in two splits, and their CSV."""
    rows = ["label,youtube_id,time_start,time_end,split"]
    for number, name in enumerate(names):
        make_video(folder / f"{name}.mp4", num_frames=5 + number)
        rows.append(f"{['run', 'walk'][number % 2]},{name},1,11,{'train' if number < 3 else 'val'}")
    (folder / "list.csv").write_text("\n".join([*rows, "run,goneAAAAAAA,1,11,val"]) + "\n")


def test_shards_are_packed_by_split_and_found_again(run, tmp_path):
    write_downloads(tmp_path, names=[f"{letter * 11}" for letter in "ABCDE"])
    options = ("csv=list.csv", "videos=.", "output=all.csv", "shards=shards")
    code, output, errors = run(*options, "videos_per_shard=2")
    assert (code, errors) == (0, "")
    assert output.splitlines()[1:5] == [
        "shards/train: 3 videos; 2 shards were written, 0 were there",
        "shards/val: 2 videos; 1 shards were written, 0 were there",
        "all.csv: 5 videos of 2 classes (3 train, 2 val)",
        "all.left_out.csv: 1 videos, with reasons",
    ]
    assert "shards/train: 3 videos; 0 shards were written, 2 were there" in run(*options, "videos_per_shard=2")[1]
    for split in ("train", "val"):
        packed = read_shard_manifest(str(tmp_path / "shards" / split))
        listed = read_csv_manifest(tmp_path / "all.csv", split=split)
        assert {r.video_id: r.label for r in packed.records} == {r.video_id: r.label for r in listed.records}
        contents = {r.video_id: r.path.read_bytes() for r in listed.records}
        assert all(read_member(r) == contents[r.video_id] for r in packed.records)
    code, _, errors = run(*options, "videos_per_shard=2", "seed=9")
    assert code == 2
    assert re.fullmatch("error: shards/train/00000.*old shards.*\n", errors)


def test_shard_sizes_and_what_must_be_cut_first(run, tmp_path):
    write_downloads(tmp_path, names=["AAAAAAAAAAA", "BBBBBBBBBBB"])
    options = ("csv=list.csv", "videos=.", "output=all.csv", "shards=shards")
    assert re.fullmatch("error: '1XB' .*500MB or 1GB\n", run(*options, "shard_size=1XB")[2])
    assert re.search("error: 2 videos .*longer files, .*AAAAAAAAAAA.mp4", run(*options, "untrimmed=true")[2])
    assert "shards/train: 2 videos; 2 shards were written, 0 were there" in run(*options, "shard_size=1KB")[1]


def test_untrimmed_recordings_are_cut_by_their_time_stamps(run, tmp_path):
    """Seconds 3 to 5 are two of the frames that come every 1.5 s, the next ones a part of the 50 a second."""
    timed_video(tmp_path / "AAAAAAAAAAA.mp4", SCREEN_MS)
    rows = ["label,youtube_id,time_start,time_end,split", "rest,AAAAAAAAAAA,3,5,val", "move,AAAAAAAAAAA,6,7,val"]
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    code, _, errors = run("csv=list.csv", "videos=.", "output=out/all.csv", "transcode=true", "untrimmed=true")
    assert (code, errors) == (0, "")
    found = {}
    for record in read_csv_manifest(tmp_path / "out" / "all.csv").records:
        with open_video(record.path) as copy:
            found[record.label] = picture_numbers(copy.read(range(copy.num_frames)))
    assert found == {1: [2, 3], 0: list(range(4, 54))}


def test_options_of_before_mean_the_same(script):
    read = script.COMMAND.parse
    new = read(["csv=a", "videos=b", "output=c", "transcode=true", "gop=5", "shards=s", "videos_per_shard=2"])
    old = ["--csv", "a", "--videos=b", "--output", "c", "--transcode", "--gop", "5", "--shards", "s"]
    assert read([*old, "--videos-per-shard=2", "--time-limit", "600"]) == new
    with pytest.raises(ValueError, match="videos_per_shard and shard_size exclude each other"):
        read([*old, "--videos-per-shard=2", "--shard-size", "1GB"])
