import time

import pytest

from stvit_video.data.decoding.reader import run_within


def test_run_within_hands_back_results_and_errors():
    assert run_within(lambda: 7, seconds=5) == 7
    with pytest.raises(KeyError, match="seven"):
        run_within(lambda: {}["seven"], seconds=5)
    with pytest.raises(TimeoutError, match=r"longer than 0\.01 s"):
        run_within(lambda: time.sleep(1), seconds=0.01)
