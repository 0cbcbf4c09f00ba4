"""What CI runs, in a small repository whose scripts/test.sh only tells how it was called."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).parents[1] / ".ci" / "run"
TOOLS = (
    "bash",
    "env",
    "git",
    "mktemp",
    "rm",
    "tee",
    "chmod",
    "awk",
    "grep",
    "tail",
    "dirname",
    "ls",
    "mkdir",
    "cat",
    "cp",
    "seq",
)
TEST_SCRIPT = """
cd "$(dirname "$0")/.."
echo "beside: $(ls ..), here: $(echo $(ls -A)), data: ${STVIT_TEST_DATA-unset}, arguments: $*"
mkdir -p .venv/bin
cp "$FAKE_PYTHON" .venv/bin/python
chmod +x .venv/bin/python
echo "===== 7 passed, 2 skipped in 81.20s (0:01:21) ====="
echo "all checks passed"
if [ "$*" = "$FAIL" ]; then exit 4; fi
"""
PYTHON = """
echo "python $*"
if [ "$2" = venv ]; then
  mkdir -p "$3/bin" "$3/lib/python3/site-packages"
  cp "$0" "$3/bin/python"
fi
"""
REAL = "-m real_data and not slow and not gpu and not deploy and not browser"
LIVE = "-m not slow and not gpu and not deploy and not browser -k torchcodec tests/data/decoding"


def executable(path: Path, text: str) -> None:
    path.write_text(f"#!{shutil.which('bash')}\n{text}")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A committed repository, an empty folder for temporary files, and a PATH with little but apt-get."""
    root = tmp_path / "a checkout"
    for folder in (root / ".ci", root / "scripts", tmp_path / "temporary", tmp_path / "bin"):
        folder.mkdir(parents=True)
    shutil.copy(CI, root / ".ci" / "run")
    (root / "scripts" / "test.sh").write_text(TEST_SCRIPT)
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    executable(tmp_path / "bin" / "apt-get", 'echo "apt-get $*"; [ "$FAIL" != "apt-get" ]')
    executable(tmp_path / "python", PYTHON)
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*git, *arguments], check=True)
    return root


def run(checkout: Path, *, ci: str = "1", fail: str = "nothing") -> tuple[int, list[str], str]:
    """Status, lines of the output, errors; the temporary folder must be gone."""
    parent = checkout.parent
    temporary = parent / "temporary"
    environment = {"PATH": str(parent / "bin"), "TMPDIR": str(temporary), "CI": ci, "FAIL": fail, "HOME": str(parent)}
    environment |= {"STVIT_TEST_DATA": "elsewhere", "FAKE_PYTHON": str(parent / "python")}
    done = subprocess.run(
        ["bash", checkout / ".ci" / "run"], cwd=parent, env=environment, capture_output=True, text=True, check=False
    )
    assert os.listdir(temporary) == []
    told = re.sub(r"\d+\.\d min", "X min", done.stdout)
    return done.returncode, re.sub(rf"{temporary}/[^/\s]+", "FOLDER", told).splitlines(), done.stderr


def test_all_steps_run_in_one_clone_and_each_ends_with_the_closing_line(checkout):
    (checkout.parent / "shared").mkdir()
    (checkout / "forgotten.txt").write_text("not committed")
    closing = "===== 7 passed, 2 skipped in 81.20s (0:01:21) ====="
    assert run(checkout) == (
        0,
        [
            "== ffmpeg",
            "apt-get update",
            "apt-get install -y --no-install-recommends ffmpeg",
            "== ffmpeg ok, X min",
            "== chromium",
            "apt-get update",
            "apt-get install -y --no-install-recommends chromium chromium-driver",
            "== chromium ok, X min",
            "== clone",
            "== clone ok, X min",
            "== tests in a clone with nothing beside it",
            "beside: clone, here: .ci .git scripts, data: unset, arguments: ",
            closing,
            "all checks passed",
            "== tests in a clone with nothing beside it ok, X min",
            closing,
            "== whole commands",
            "python -m pytest -m commands and not slow and not gpu and not real_data and not deploy and not browser",
            "== whole commands ok, X min",
            "== libraries of documentation, deployment and browser",
            "python -m pip install --quiet --editable .[docs]",
            "python -m venv FOLDER/deployment",
            "python -m pip install --quiet --editable .[onnx,openvino,coreml] fastapi httpx",
            "python -m venv FOLDER/browser",
            "python -m pip install --quiet --editable .[demo] selenium",
            "== libraries of documentation, deployment and browser ok, X min",
            "== documentation",
            "python -m pytest -m docs and not deploy and not browser tests/docs_pages",
            "== documentation ok, X min",
            "== deployment",
            "python -m pytest -m deploy and not slow and not gpu and not real_data",
            "== deployment ok, X min",
            "== browser",
            "python -m pytest -m browser and not slow and not gpu and not real_data",
            "== browser ok, X min",
            "== tests of the real files",
            f"beside: clone, here: .ci .git .venv scripts, data: {checkout.parent}/shared, arguments: {REAL}",
            closing,
            "all checks passed",
            "== tests of the real files ok, X min",
            closing,
            "== frames of torchcodec",
            "python -m pip install --quiet torchcodec",
            f"beside: clone, here: .ci .git .venv scripts, data: {checkout.parent}/shared, arguments: {LIVE}",
            closing,
            "all checks passed",
            "== frames of torchcodec ok, X min",
            closing,
        ],
        "",
    )


@pytest.mark.parametrize(
    ("fail", "status", "last"),
    [
        ("", 4, "===== 7 passed, 2 skipped in 81.20s (0:01:21) ====="),
        (REAL, 4, "===== 7 passed, 2 skipped in 81.20s (0:01:21) ====="),
        ("apt-get", 1, "== ffmpeg FAILED, X min"),
    ],
)
def test_a_step_that_fails_ends_the_run_with_its_status(checkout, fail, status, last):
    (checkout.parent / "shared").mkdir()
    code, lines, _ = run(checkout, fail=fail)
    assert (code, lines[-1]) == (status, last)
    assert any("FAILED" in line for line in lines)
    assert any(REAL in line for line in lines) == (fail == REAL)


def test_programs_are_installed_only_where_they_are_missing(checkout):
    for name in ("ffmpeg", "chromium", "chromedriver"):
        executable(checkout.parent / "bin" / name, "")
    _, lines, _ = run(checkout, ci="")
    assert {"ffmpeg is here", "chromium is here"} <= set(lines)
    assert not any(line.startswith("apt-get") for line in lines)


def test_without_the_real_files_ci_fails_and_a_run_by_hand_says_so(checkout):
    code, lines, errors = run(checkout)
    assert code == 1
    assert (
        errors == f"error: there is no {checkout.parent}/shared, which the tests marked real_data read; put it there\n"
    )
    code, lines, errors = run(checkout, ci="")
    assert (code, errors) == (0, "")
    assert lines[-1] == f"the tests of the real files are left out: there is no {checkout.parent}/shared"
