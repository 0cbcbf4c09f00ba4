"""The quick trainings of detectors and of a segmenter: as accurate as their pages say, in no more CPU time."""

import faulthandler
import json
import os
import resource
import subprocess
import sys

import pytest
from real_data import real_file

pytestmark = [pytest.mark.slow, pytest.mark.real_data]

MOST_CPU_SECONDS = 8 * 60


def cpu_seconds_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    ("recipe", "data", "metric", "least"),
    [
        ("bccd", "bccd_detection", "AP50", 0.85),
        ("nuclei", "nuclei_instance", "AP50", 0.50),
        ("ccp", "ccp_semantic", "mIoU", 0.23),
    ],
)
def test_a_quick_training_from_scratch(recipe, data, metric, least, tmp_path):
    words = [f"+experiment={recipe}", f"data.root='{real_file('data', data)}'", "trainer=cpu", "run=quick"]
    command = [sys.executable, "-m", "stvit_video.train", *words]
    faulthandler.cancel_dump_traceback_later()  # the watchdog of tests gives 5 minutes
    before = cpu_seconds_of_children()
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
    used = cpu_seconds_of_children() - before
    result = json.loads((tmp_path / "outputs" / "quick" / "result.json").read_text())
    assert result[metric] >= least
    assert used <= MOST_CPU_SECONDS
