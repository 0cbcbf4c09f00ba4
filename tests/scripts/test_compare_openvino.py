"""scripts/compare_openvino.py: its table, with a stand-in for OpenVINO where that is not installed."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "scripts" / "compare_openvino.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_openvino", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class StandIn(ModuleType):
    """What the script calls of OpenVINO; it runs the exported program, and keeps the settings."""

    def __init__(self):
        super().__init__("openvino")
        self.settings = []

    def convert_model(self, program):
        return program.module()

    def Core(self):  # noqa: N802 - OpenVINO's name
        return SimpleNamespace(compile_model=self._compile)

    def _compile(self, graph, device, settings):
        self.settings.append((device, settings["INFERENCE_NUM_THREADS"], settings["INFERENCE_PRECISION_HINT"]))
        request = SimpleNamespace(infer=lambda inputs: graph(*map(torch.from_numpy, inputs)))
        return SimpleNamespace(create_infer_request=lambda: request)


SMALL = ("name=stvit_video_deit_tiny", "num_frames=2", "image_size=32", "rounds=1")


def test_a_row_for_each_place(script, monkeypatch, capsys):
    openvino = StandIn()
    monkeypatch.setitem(sys.modules, "openvino", openvino)
    assert script.main([*SMALL, "generate_at=1,3", "num_tokens=2"]) == 0
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert [len(line) for line in lines[:1] + lines[2:]] == [7, 7, 7]
    assert [line[0] for line in lines[2:]] == ["1", "3"]
    for ours, theirs, ratio in (lines[2][1:4], lines[3][4:7]):
        assert float(ours) / float(theirs) == pytest.approx(float(ratio), rel=0.1)
    assert openvino.settings == [("CPU", 1, "f32"), ("CPU", 1, "bf16")] * 2


def test_the_quickest_turn_counts_and_the_first_does_not(script, monkeypatch):
    clock = iter([0, 0, 1, 9, 9, 14, 14, 16, 16, 20])  # counted turns of a: 8, 2; of b: 5, 4
    monkeypatch.setattr(script.time, "process_time", lambda: next(clock))
    assert script.quickest({"a": int, "b": int}, rounds=2) == {"a": 2, "b": 4}


def test_a_missing_library_is_an_error_that_says_how_to_install_it(script, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert script.main([*SMALL]) != 0
    assert "pip install openvino" in capsys.readouterr().err


def test_a_refused_place_is_an_error(script, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "openvino", StandIn())
    assert script.main([*SMALL, "generate_at=12"]) != 0
    assert "12" in capsys.readouterr().err
