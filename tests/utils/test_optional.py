import sys
from pathlib import Path

import pytest

from stvit_video.utils.optional import (
    REQUIRED,
    MissingLibraryError,
    install_extra,
    load_optional,
    missing_library_sentence,
)


def test_gives_the_module():
    assert load_optional("math", needed_for="sums", install="nothing") is __import__("math")


@pytest.mark.parametrize("body", ["raise OSError('libfoo.so.1 is missing')", "import no_such_module_at_all", "1 / 0"])
def test_any_failure_is_one_sentence_with_the_way_out(tmp_path, monkeypatch, body):
    (tmp_path / "broken_library.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_library", raising=False)
    with pytest.raises(
        MissingLibraryError,
        match=r"^backend=x needs the library 'broken_library', which does not import here "
        r"\((OSError|ModuleNotFoundError|ZeroDivisionError): .*\); install it with: pip install broken$",
    ):
        load_optional("broken_library", needed_for="backend=x", install="pip install broken")


def test_the_extra_of_an_advice():
    assert install_extra("onnx") == "pip install 'stvit-video[onnx]', in a clone pip install '.[onnx]'"
    extras = (Path(__file__).parents[2] / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    assert "\nonnx = " in extras.partition("\n[")[0]


def test_required_libraries_that_are_missing_are_named_and_no_other():
    told = missing_library_sentence(ModuleNotFoundError("no", name="hydra.core"))
    assert told is not None
    assert "'hydra'" in told
    for error in (ModuleNotFoundError("no", name="stvit_video.gone"), ModuleNotFoundError("no"), ImportError("torch")):
        assert missing_library_sentence(error) is None
    listed = (Path(__file__).parents[2] / "pyproject.toml").read_text().partition("dependencies")[2].partition("]\n")[0]
    packages = {"hydra": "hydra-core", "omegaconf": "hydra-core", "PIL": "pillow"}
    assert [name for name in REQUIRED if f'"{packages.get(name, name)}>=' not in listed] == []
