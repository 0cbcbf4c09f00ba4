import sys
from pathlib import Path

import pytest

from stvit_video.bundles.bundle_formats import FORMATS, find_format
from stvit_video.utils.optional import MissingLibraryError

EXTRAS = (Path(__file__).parents[2] / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]


@pytest.mark.parametrize("name", FORMATS)
def test_every_extra_is_declared_and_installs_what_the_format_needs(name):
    form = find_format(name)
    if form.extra is None:
        assert form.install == "pip install torch"
        return
    declared = next(line for line in EXTRAS.splitlines() if line.startswith(f"{form.extra} = "))
    assert all(f'"{library.partition(".")[0]}>=' in declared for library in (*form.libraries, form.runtime))
    assert form.install.startswith(f"pip install 'stvit-video[{form.extra}]'")


def test_names_and_precisions_that_there_are_not():
    with pytest.raises(ValueError, match="format='tflite' .*torch_export, onnx, openvino, coreml, executorch"):
        find_format("tflite")
    with pytest.raises(ValueError, match="precision=bf16 .*format=onnx, .* fp32; .*format=openvino"):
        find_format("onnx").check_precision("bf16")
    with pytest.raises(ValueError, match="precision=fp8 .*format=coreml, .* fp32; .*no format has fp8"):
        find_format("coreml").check_precision("fp8")
    for precision in ("fp32", "bf16", "int8"):
        find_format("openvino").check_precision(precision)


def test_a_missing_library_is_named_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "coremltools", None)
    with pytest.raises(
        MissingLibraryError, match="format=coreml .*'coremltools'.*pip install 'stvit-video\\[coreml\\]'"
    ):
        find_format("coreml").check_libraries()
    find_format("coreml").check_libraries(["json"])
