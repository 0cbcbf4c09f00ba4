import pytest

from stvit_video.settings.doctor_settings import DoctorSettings
from stvit_video.settings.reading import read_settings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"parts": ["test"]}, "parts=['test'] must be a list of words out of train, val"),
        ({"max_distance_bits": 65}, "max_distance_bits=65 must be a whole number at least 0 and at most 64"),
        ({"gop": 0}, "gop=0 must be a whole number at least 1"),
    ],
)
def test_values_out_of_range(values, words):
    assert list(read_settings(DoctorSettings, {"data": {"source": "csv"}, **values}).wrong.values()) == [words]
