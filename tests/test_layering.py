"""The walls between the rooms: which module may import which, and what keeps imports light.

The checks are functions from names and texts of modules to lists of faults, so that they can be tried on made-up
sources that break a rule; the last tests apply them to the package itself.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from layering import (
    HALL,
    LAZY,
    MAY_IMPORT,
    PACKAGE,
    ROOT,
    WITHOUT_TORCH,
    Sources,
    circles,
    doubled_names,
    layering_faults,
    runs_as_main,
    torch_faults,
    twin_of,
)

REPOSITORY = Path(__file__).parents[1]
MAX_LINES = 350

# --- the checks find what they are for ---

GOOD = {
    "stvit_video": "__version__ = '1'",
    "stvit_video.utils.optional": "import importlib",
    "stvit_video.layers.mlp": "import math\nimport torch\nfrom torch import nn",
    "stvit_video.layers.block": "from stvit_video.layers.mlp import Mlp",
    "stvit_video.tokens.grid": "from stvit_video.layers.mlp import Mlp",
    "stvit_video.models.deit.model": "from stvit_video.tokens.grid import X\nfrom stvit_video import __version__",
    "stvit_video.data.decoding.video": "from stvit_video.utils.optional import x\ndef f():\n    import av",
    "stvit_video.data.explain": "from stvit_video.data.decoding.video import x",
    "stvit_video.evaluation.plots": "def f():\n    from matplotlib import pyplot",
    "stvit_video.evaluation.ledger.rows": "from stvit_video.evaluation.plots import x",
    "stvit_video.training.module": "import stvit_video.models.deit.model",
    "stvit_video.inference.recognizer": "from stvit_video.data.decoding.video import x",
    "stvit_video.train": "import stvit_video.inference.recognizer\nif __name__ == '__main__':\n    print()",
}


def test_sources_that_keep_the_rules_have_no_faults():
    assert layering_faults(GOOD) == circles(GOOD) == torch_faults(GOOD) == []


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("layers.a", "from stvit_video.tokens import grid", "layers must not import stvit_video.tokens.grid; "),
        ("layers.a", "import stvit_video.utils.optional", "stvit_video.utils.optional; it may import none of ours"),
        ("layers.a", "import numpy", "layers imports numpy; this room knows torch only"),
        (
            "tokens.a",
            "\n\nfrom stvit_video.models.deit.model import X",
            "line 3: tokens must not import stvit_video.models.deit.model",
        ),
        ("models.a", "from stvit_video.data.decoding.video import x", "models must not import stvit_video.data.deco"),
        ("models.swin.a", "from stvit_video import data", "models must not import stvit_video.data; "),
        (
            "data.sampling.a",
            "def f():\n    import stvit_video.data.decoding.video",
            "line 2: data/sampling must not import stvit_video.data.decoding.video; it may import data/transforms",
        ),
        ("data.decoding.a", "import stvit_video.models.deit.model", "data/decoding must not import stvit_video.mode"),
        ("data.decoding.a", "import stvit_video.data.explain", "data/decoding must not import stvit_video.data.exp"),
        ("evaluation.a", "import stvit_video.evaluation.ledger.rows", "evaluation must not import stvit_video.eval"),
        ("factories.a", "import stvit_video.tokens.grid", "factories must not import stvit_video.tokens"),
        ("training.a", "import stvit_video.inference.recognizer", "training must not import stvit_video.inference"),
        ("inference.a", "from stvit_video.train import main", "train is an entry module; nothing imports those"),
        ("evaluate", "from stvit_video import train", "train is an entry module; nothing imports those"),
        ("utils.a", "import stvit_video.data.decoding.video", "utils must not import stvit_video.data.decoding.vid"),
        ("data.decoding.a", "from .video import x", ".video is a relative import; write the full name"),
        ("data.decoding.a", "import av", "av is imported at the top; import it where it is needed"),
        (
            "data.decoding.a",
            "try:\n    import decord\nexcept ImportError: pass",
            "line 2: decord is imported at the top",
        ),
        ("evaluation.a", "class A:\n    from matplotlib import pyplot", "matplotlib is imported at the top"),
        ("models.a", "import pytorchvideo.models.hub", "pytorchvideo.models.hub is imported at the top"),
        ("kitchen.a", "import stvit_video.utils.optional", "room kitchen stands in no rule; add it to MAY_IMPORT"),
    ],
)
def test_each_rule_finds_its_breach(module, text, fault):
    data = {"stvit_video.data": ""} if "import data" in text else {}
    faults = layering_faults({**GOOD, **data, f"stvit_video.{module}": text})
    assert len(faults) == 1
    assert fault in faults[0]
    assert faults[0].startswith(f"stvit_video.{module}, line ")


def test_imports_for_type_checkers_are_not_run():
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import av, torch"
    assert layering_faults({**GOOD, "stvit_video.data.decoding.a": text}) == []
    assert torch_faults({**GOOD, "stvit_video.data.decoding.a": text}) == []


def test_a_circle_is_found_also_where_an_import_stands_in_a_function():
    way = {
        "stvit_video.models.a": "from stvit_video.models import b",
        "stvit_video.models.b": "def f():\n    import stvit_video.models.c",
        "stvit_video.models.c": "from stvit_video.models.a import x",
    }
    assert circles({**GOOD, **way})[0] == (
        "stvit_video.models.a imports itself over stvit_video.models.b -> stvit_video.models.c"
    )
    assert len(circles({**GOOD, **way})) == 3


@pytest.mark.parametrize(
    "more",
    [
        {"stvit_video.data.decoding.a": "import torch.nn"},
        {"stvit_video.data.decoding.a": "from stvit_video.utils.b import x", "stvit_video.utils.b": "import lightning"},
        {"stvit_video.data.decoding.a": "import stvit_video.utils.optional", "stvit_video.utils": "import torch"},
    ],
)
def test_torch_is_found_wherever_it_hides(more):
    assert any(
        fault.startswith("stvit_video.data.decoding.a loads torch by stvit_video.")
        for fault in torch_faults({**GOOD, **more})
    )


def test_torch_within_a_function_is_not_loaded_on_import():
    assert torch_faults({**GOOD, "stvit_video.data.decoding.a": "def f():\n    import torch"}) == []


def test_twins_by_hand():
    assert twin_of(Path("stvit_video/data/decoding/video.py")) == Path("tests/data/decoding/test_video.py")
    assert twin_of(Path("stvit_video/train.py")) == Path("tests/test_train.py")
    assert twin_of(Path("stvit_video/data/__init__.py")) is None


def test_doubled_names_by_hand():
    names = ["models/deit/model", "models/swin/model", "models/blocks", "layers/blocks", "a/__init__", "b/__init__"]
    assert doubled_names([Path(PACKAGE, f"{name}.py") for name in names]) == ["blocks.py"]
    family = [Path(PACKAGE, "models", "checkpoints", "files.py"), Path(PACKAGE, "utils", "files.py")]
    assert doubled_names(family) == ["files.py"]


# --- the package keeps the rules ---


@pytest.fixture(scope="module")
def modules() -> list[Path]:
    found = sorted(path.relative_to(REPOSITORY) for path in (REPOSITORY / PACKAGE).rglob("*.py"))
    assert Path("stvit_video/utils/optional.py") in found
    return found


@pytest.fixture(scope="module")
def sources(modules) -> Sources:
    return {dotted_name(path): (REPOSITORY / path).read_text(encoding="utf-8") for path in modules}


def dotted_name(module: Path) -> str:
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def test_the_package_keeps_its_walls(sources):
    assert not layering_faults(sources), "\n".join(layering_faults(sources))


def test_no_module_imports_itself(sources):
    assert not circles(sources), "\n".join(circles(sources))


def test_what_a_deployed_model_needs_loads_no_torch(sources):
    lacking = [name for name in WITHOUT_TORCH if name not in sources]
    assert not lacking
    assert not torch_faults(sources), "\n".join(torch_faults(sources))


def test_every_room_exists_and_has_its_row(modules):
    rooms = {path.parent.relative_to(PACKAGE).as_posix() for path in modules} - {"."}
    missing = [room for room in MAY_IMPORT if room != ROOT and room not in rooms]
    assert not missing
    data_rooms = {room for room in rooms if room.startswith("data/")}
    assert data_rooms <= set(MAY_IMPORT)


def test_the_hall_holds_commands_alone(sources):
    hall = [name for name in sources if name.count(".") == 1 and not any(o.startswith(f"{name}.") for o in sources)]
    odd = [n for n in hall if not runs_as_main(ast.parse(sources[n])) and n.split(".")[1] not in HALL]
    assert not odd


def test_every_module_has_its_test_file(modules):
    twins = {path: twin_of(path) for path in modules}
    lacking = [f"{path} needs {twin}" for path, twin in twins.items() if twin and not (REPOSITORY / twin).is_file()]
    assert not lacking, "\n".join(lacking)


def test_no_file_name_stands_twice(modules):
    assert doubled_names(modules) == []


def test_no_file_is_longer_than_350_lines():
    files = [path for folder in (PACKAGE, "tests", "scripts") for path in (REPOSITORY / folder).rglob("*.py")]
    lengths = {path.relative_to(REPOSITORY): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    too_long = [f"{path} has {lines} lines" for path, lines in lengths.items() if lines > MAX_LINES]
    assert not too_long, "\n".join(too_long)


MEASURE = """
import sys, time, torch
start = time.process_time()
import stvit_video, stvit_video.models
print(time.process_time() - start, *sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_import_is_quick_and_leaves_the_heavy_libraries_alone():
    """Processor time beside that of torch, which takes over two seconds and is not ours."""
    seconds = []
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", MEASURE], cwd=REPOSITORY, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        elapsed, *loaded = run.stdout.split()
        assert not LAZY & set(loaded)
        assert "torch" in loaded
        seconds.append(float(elapsed))
    assert min(seconds) < 1.0, seconds
