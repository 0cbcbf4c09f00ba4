"""What the system tells of the processor, on a file as Linux has it, and where there is none."""

import platform

import pytest

from stvit_video.utils.processor import cpu_flag_words, cpu_flags, processor_name


@pytest.fixture
def info(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text(
        "processor : 0\nmodel name : A CPU @ 2:1\nflags : fpu avx2 avx512f amx_tile\n"
        "processor : 1\nmodel name : B\nflags : fpu\n"
    )
    return path


def test_flags_are_those_of_the_first_processor(info, tmp_path):
    flags = cpu_flags(info)
    assert (flags["AMX"], flags["AVX-512"], flags["AVX2"]) == (True, True, True)
    assert (flags["AMX-BF16"], flags["AVX512-BF16"]) == (False, False)
    assert cpu_flags(tmp_path / "absent") == {}
    assert cpu_flag_words({"AMX": True, "AVX2": False}) == "AMX, no AVX2"
    assert cpu_flag_words({}) == ""


def test_the_name_or_the_architecture(info, tmp_path):
    assert processor_name(info) == "A CPU @ 2:1"
    assert processor_name(tmp_path / "absent") == platform.machine()
    assert processor_name()
