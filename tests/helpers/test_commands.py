"""A forked command against `python -m`."""

import subprocess
import sys


def test_status_and_words_are_those_of_a_fresh_process(run_command, tmp_path):
    arguments = ("num_clip=3", "ckpt_path=gone.ckpt")
    forked = run_command("stvit_video.evaluate", *arguments, cwd=tmp_path)
    command = [sys.executable, "-m", "stvit_video.evaluate", *arguments]
    fresh = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert forked.stderr.startswith("error: num_clip is no setting")
    assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


def test_one_command_leaves_nothing_to_the_next(run_command, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        done = run_command("stvit_video.doctor", "data=csv", "data.train=gone.csv", cwd=tmp_path / name)
        assert done.returncode == 2
        assert done.stdout == ""
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a", "b"]
