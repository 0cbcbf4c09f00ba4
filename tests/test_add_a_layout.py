"""The worked example of docs/develop/add_a_layout.md, taken from the page and run in a copy of the package."""

import pytest
from extended_copy import blocks, copy_package, insert, page, run

pytestmark = pytest.mark.commands

CODE = blocks(page("add_a_layout.md"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = copy_package(tmp_path_factory.mktemp("repository"))
    layout, line, test = CODE
    folder = root / "stvit_video" / "data" / "layouts"
    (folder / "json_lines.py").write_text(layout, encoding="utf-8")
    insert(folder / "catalogue.py", line, before='    "kinetics": find_kinetics,\n')
    line = "from stvit_video.data.layouts.json_lines import find_json_lines\n"
    insert(folder / "catalogue.py", line, before="from stvit_video.data.layouts.kinetics import find_kinetics\n")
    (root / "tests" / "test_json_lines.py").write_text(test, encoding="utf-8")
    (conf,) = blocks(page("add_a_layout.md"), "yaml")
    (root / "conf" / "data" / "json_lines.yaml").write_text(conf, encoding="utf-8")
    return root


def test_the_test_of_the_page_passes(copy):
    assert "3 passed" in run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_json_lines.py")


def test_it_is_a_choice_with_its_own_settings_and_defaults(copy):
    told = run(copy, "-m", "stvit_video.train", "--cfg", "job", "-p", "data", "data=json_lines", "data.class_key=kind")
    for line in ("source: json_lines", "class_key: kind", "frame_stride: 2", "num_frames: 16"):
        assert line in told
    told = run(copy, "-m", "stvit_video.train", "data=json_lines", "data.class_keys=a", "data.class_key=3", status=2)
    assert "data.class_keys is no setting; did you mean data.class_key?" in told
    assert "data.class_key=3 must be a word" in told
    assert "needs data.train" not in told  # which a wrong setting might be about
    assert "data.source=json_lines needs data.train" in run(
        copy, "-m", "stvit_video.train", "data=json_lines", status=2
    )
    told = run(copy, "-m", "stvit_video.train", "data=csv", "data.class_key=kind", status=2)
    assert "data.class_key is for data=json_lines, not for data.source=csv" in told
