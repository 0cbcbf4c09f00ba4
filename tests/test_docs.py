"""What the pages name exists: modules, attributes, paths, links, and the rooms of docs/develop/design.md."""

import re
from pathlib import Path

import pytest
import torch
from doc_checks import citation_faults, headings, in_backticks, link_faults, name_faults, path_faults, table_rows
from layering import MAY_IMPORT

from stvit_video.models import create_model, list_models
from stvit_video.models.casvit.plan import casvit_plan
from stvit_video.models.deit.plan import deit_plan
from stvit_video.models.parameter_groups import num_layers
from stvit_video.models.swin.plan import swin_plan
from stvit_video.tokens.reducers.reducer_names import REDUCERS

REPOSITORY = Path(__file__).parents[1]
DESIGN = "docs/develop/design.md"
ADD_A_REDUCER = "docs/develop/add_a_reducer.md"
# the module, or the folder, that a page has its reader write
MADE_BY_THE_READER = {
    ADD_A_REDUCER: "largest_norm",
    "docs/develop/add_a_backbone.md": "models/toy models.toy",
    "docs/develop/add_a_layout.md": "json_lines",
}
PAGES = ["README.md", "CONTRIBUTING.md", "data/README.md"]
PAGES += sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "docs").rglob("*.md"))


def read(page):
    return (REPOSITORY / page).read_text(encoding="utf-8")


# --- the checks find what they are for ---


def test_names_that_are_there():
    text = (
        "`stvit_video.train`, stvit_video.tokens.grid.TokenGrid.count. And `stvit_video.data`, stvit_video.open_video;"
    )
    text += "\nfrom stvit_video.models import create_model, list_models"
    assert name_faults(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("see stvit_video.build.", "stvit_video.build"),
        ("`stvit_video.tokens.grids`", "stvit_video.tokens.grids"),
        ("stvit_video.tokens.grid.TokenGrid.counts()", "stvit_video.tokens.grid.TokenGrid.counts"),
        ("from stvit_video.models import create_model, create_modell", "stvit_video.models.create_modell"),
    ],
)
def test_names_that_are_not_there(text, name):
    assert name_faults(text) == [f"{name} is neither a module nor an attribute of one"]


def test_paths(tmp_path):
    for name in ("stvit_video/data/decoding/video.py", "tests/test_a.py", "conf/model/x.yaml", "data/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    good = (
        "`stvit_video/data/{decoding,decoding/video.py}`, `data/decoding`, tests/test_a.py, conf/model/*.yaml (data/)."
    )
    assert path_faults(f"{good} data/synthetic/train.csv and /data/k400, https://x.org/data/y", tmp_path) == []
    bad = "`stvit_video/data/decoding/{video,sound}.py`, tests/test_b.py; data/encoding conf/data/*.yaml"
    assert path_faults(bad, tmp_path) == [
        "there is no conf/data/*.yaml",
        "there is no data/encoding",
        "there is no stvit_video/data/decoding/sound.py",
        "there is no tests/test_b.py",
    ]


def test_links(tmp_path):
    (tmp_path / "other.md").write_text("# A title\n\n```\n# a comment\n```\n", encoding="utf-8")
    good = "# Here\n[a](other.md) ![b](other.md#a-title) [c](#here) [d](https://x.org/other) [e](mailto:a@x.org)"
    assert link_faults(good, folder=tmp_path) == []
    bad = "[a](another.md) [b](other.md#a-comment) [c](#there)"
    assert link_faults(bad, folder=tmp_path) == [
        "the link #there names no heading",
        "the link another.md leads nowhere",
        "the link other.md#a-comment names no heading",
    ]


def test_citations():
    text = 'Source: page.md, "One".\n    page.md, "Two\n        words". page.md, "Three"; page.md section 4'
    faults = citation_faults(text, page="page.md", known=lambda: ["One", "Two words"])
    assert faults == ['page.md has no heading "Three"', "page.md is cited without a heading"]


def test_rows_of_a_table():
    page = "| room | x |\n|---|---|\n| `a` | b, `c` |\n| d | |\n\n| e | f |\n"
    assert table_rows(page, first="room") == [["`a`", "b, `c`"], ["d", ""]]
    assert in_backticks("b, `c` and `d/*`") == ["c", "d/*"]


# --- the pages keep to them ---


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_is_there(page):
    text = read(page)
    faults = name_faults(text) + path_faults(text, REPOSITORY) + link_faults(text, folder=(REPOSITORY / page).parent)
    made = MADE_BY_THE_READER.get(page, "").split()
    faults = [fault for fault in faults if not any(part in fault for part in made)]
    assert not faults, "\n".join(faults)


def test_the_readme_is_short():
    lines = read("README.md").splitlines()
    assert len(lines) <= 200
    assert [number for number, line in enumerate(lines, 1) if len(line) > 400] == []


def test_the_readme_lists_the_models():
    line = next(line for line in read("README.md").splitlines() if line.startswith("Names: "))
    sizes = {family: names.split(",") for family, names in re.findall(r"(\w+)_\{([\w,]+)\}", line)}
    models = [f"{family}_{size}" for family in sizes for size in sizes[family]]
    names = sorted(
        f"{slot}{clips}{m}" for slot in ("", "stvit_", "stvit_r_") for clips in ("", "video_") for m in models
    )
    assert names == list_models()
    assert f"`, {len(names)} in all." in line


def test_the_design_lists_the_rooms_and_what_they_may_import():
    rows = table_rows(read(DESIGN), first="room")
    listed = {in_backticks(room)[0]: set(in_backticks(imports)) for room, _, imports in rows}
    assert listed == MAY_IMPORT
    assert len(rows) == len(listed)


DEIT = {"depth": 12, "generate_at": 4, "base_attention": "frame"}
SWIN = {"depths": (2, 2, 6, 2), "generate_at": 2}
CASVIT = {"depths": (3, 3, 6, 3), "generate_at": 1}


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("| `video_deit_*` | `", deit_plan(**DEIT, reducer="none")),
        ('`base_attention="joint"` | `', deit_plan(**DEIT | {"base_attention": "joint"}, reducer="none")),
        ("| `stvit_video_deit_*` | `", deit_plan(**DEIT, reducer="semantic")),
        ('`reducer="tome"` | `', deit_plan(**DEIT, reducer="tome")),
        ("| `stvit_r_video_deit_*` | `", deit_plan(**DEIT, reducer="semantic", recover=True)),
        ("\nswin_tiny          ", swin_plan(**SWIN, reducer="none")),
        ("\nstvit_swin_tiny    ", swin_plan(**SWIN, reducer="semantic")),
        ("\nstvit_r_swin_tiny  ", swin_plan(**SWIN, reducer="semantic", recover=True)),
        ("\ncasvit_s               ", casvit_plan(**CASVIT, reducer="none", joint=False)),
        ("\nstvit_casvit_s         ", casvit_plan(**CASVIT, reducer="semantic", joint=False)),
        ("\nstvit_video_casvit_s   ", casvit_plan(**CASVIT, reducer="semantic", joint=True)),
        ("\nstvit_r_video_casvit_s ", casvit_plan(**CASVIT, reducer="semantic", joint=True, recover=True)),
    ],
)
def test_the_design_shows_the_plans_that_the_code_writes(name, plan):
    assert any(f"{name}{plan}{end}" in read(DESIGN) for end in ("\n", "` |"))


def test_the_design_lists_the_reducers():
    rows = table_rows(read(DESIGN), first="reducer")
    assert [in_backticks(name)[0] for name, _ in rows] == list(REDUCERS)


@pytest.mark.parametrize(
    ("name", "class_name"), [("largest_norm", "LargestNormReducer"), ("scored_pool", "ScoredPoolReducer")]
)
def test_the_reducers_that_a_page_adds_work(monkeypatch, name, class_name):
    blocks = re.findall(r"```python\n# (\w+)\.py\n(.*?)```", read(ADD_A_REDUCER), re.DOTALL)
    texts = dict(blocks)
    written = {}
    exec(texts[name], written)
    monkeypatch.setitem(REDUCERS, name, written[class_name])
    if f"test_{name}" in texts:
        exec(texts[f"test_{name}"], tested := {})
        [test() for key, test in tested.items() if key.startswith("test_")]
    options = {"image_size": (16, 24), "patch_size": 4, "embed_dim": 12, "num_heads": 2, "depth": 5, "generate_at": 1}
    model = create_model("stvit_deit_tiny", num_classes=3, reducer=name, num_tokens=(2, 3), **options).eval()
    assert num_layers(model) == 5
    x = torch.randn(2, 3, 16, 24)
    compiled = torch.compile(model.reducers()[0], backend="eager", fullgraph=True)
    tokens = torch.randn(2, 4, 6, 12)
    torch.testing.assert_close(compiled(tokens), model.reducers()[0](tokens))
    model(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.set_num_tokens((3, 3))
    assert model.forward_tokens(x).shape == (2, 9, 12)


def test_docstrings_cite_headings_of_the_design():
    known = headings(read(DESIGN))
    files = [path for folder in ("stvit_video", "tests") for path in (REPOSITORY / folder).rglob("*.py")]
    faults = [
        f"{path.relative_to(REPOSITORY)}: {fault}"
        for path in files
        if path.parent != REPOSITORY / "tests" and path.name != "doc_checks.py"
        for fault in citation_faults(path.read_text(encoding="utf-8"), page=DESIGN, known=lambda: known)
    ]
    assert not faults, "\n".join(faults)
