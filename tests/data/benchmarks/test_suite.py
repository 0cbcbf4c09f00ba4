import re

import av
import numpy as np
import pytest

from stvit_video.data.benchmarks.suite import format_comparisons, measure_data
from stvit_video.data.benchmarks.throughput import Comparison
from stvit_video.data.transforms.preprocessing import Preprocessing

ROWS = [
    Comparison(ours="clips", reference="decord", our_rate=30.0, reference_rate=40.0, target=0.85),
    Comparison(ours="clips", reference="PyAV", our_rate=30.0, reference_rate=10.0),
    Comparison(ours="clips", reference="theirs", our_rate=30.0, target=2.0, note="not measured: it is absent"),
    Comparison(ours="views", reference="decode", our_rate=5.0, reference_rate=6.0, is_time=True, target=1.3),
]


@pytest.fixture
def video_folder(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (70, 98, 3), dtype=np.uint8)
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = 70, 98, "yuv420p"
        for number in range(7):
            picture = av.VideoFrame.from_ndarray(np.roll(noise, number, axis=1), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return tmp_path


def test_rows_of_data_as_a_table():
    assert format_comparisons(ROWS).splitlines() == [
        "| what | beside | rate /s | its rate /s | ratio | target | met |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| clips | decord | 30.00 | 40.00 | 0.75 | >= 0.85 | no |",
        "| clips | PyAV | 30.00 | 10.00 | 3.00 | - | - |",
        "| clips | theirs | 30.00 | - | - | >= 2 | - |",
        "| views | decode | 5.00 | 6.00 | 1.20 (time) | <= 1.3 | yes |",
    ]


def test_data_is_measured_on_a_folder(video_folder):
    small = Preprocessing(num_frames=3, frame_stride=2, short_side=32, crop_size=32)
    (video_folder / "broken.mp4").write_bytes(b"no video" * 50)
    rows, notes = measure_data(
        str(video_folder),
        preprocessing=small,
        num_workers=0,
        repeats=1,
        num_frames=11,
        large_size=(96, 130),
        kinetics_size=(70, 98),
    )
    assert [row.target for row in rows] == [0.85, None, 2.0, 1.3, 0.85, None, 2.0, 1.3, 4.0]
    assert all(row.our_rate > 0 for row in rows)
    assert all(row.ratio > 0 for row in rows if not row.note)
    assert rows[-2].ours == "15 views of 11 frames of 98x70"
    assert re.match(r"1 videos; 1 left out: can't decode .*broken\.mp4", notes[0])
