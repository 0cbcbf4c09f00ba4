"""Bundles as they are deployed: an environment that has never had torch, and a server."""

import importlib.metadata
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import stvit_video

pytestmark = pytest.mark.deploy

REPOSITORY = Path(__file__).parents[1]
LIBRARIES = ("numpy", "av", "onnxruntime")  # what a bundle of format=onnx needs
MOST_BYTES = 300 * 10**6  # of site-packages, without an installer
LABEL = """
import sys
import stvit_video
told = stvit_video.load(sys.argv[1], num_threads=1)(sys.argv[2])
assert "torch" not in sys.modules
print(told.label, *told.probabilities)
"""


@pytest.fixture(scope="module")
def bundle(tiny_run, tmp_path_factory):
    from stvit_video.exporting.write_bundle import write_bundle

    return write_bundle(tiny_run.checkpoint, format="onnx", out=tmp_path_factory.mktemp("deployed") / "b", speed=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment with the package and LIBRARIES, of the versions here, without what they depend on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    libraries = [f"{name}=={importlib.metadata.version(name)}" for name in LIBRARIES]
    install = [sys.executable, "-m", "pip", "--python", folder, "install", "-q", "--no-compile", "--no-deps"]
    install += [REPOSITORY, *libraries]
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def run(environment: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in (environment / "bin" / "python", *words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=environment)


def test_an_environment_without_torch_gives_the_labels_of_the_checkpoint(bundle, environment, tiny_run):
    video = tiny_run.videos[1]
    theirs = stvit_video.load(tiny_run.checkpoint, device="cpu")(video)
    assert run(environment, "-c", "import torch").returncode != 0
    told = run(environment, "-c", LABEL, bundle, video)
    assert told.returncode == 0, told.stderr
    label, *probabilities = told.stdout.strip().rsplit(maxsplit=len(theirs.probabilities))
    assert label == theirs.label
    np.testing.assert_allclose([float(value) for value in probabilities], theirs.probabilities, atol=1e-3)
    predicted = run(environment, "-m", "stvit_video.predict", f"bundle={bundle}", video, tiny_run.videos[0])
    assert predicted.returncode == 0, predicted.stderr
    lines = predicted.stdout.splitlines()
    assert lines[0] == str(video)
    assert lines[1].split(maxsplit=1)[1] == theirs.label
    assert abs(float(lines[1].split()[0]) - theirs.probabilities[0]) < 1e-3


def test_an_environment_without_torch_is_small_and_says_what_it_lacks(bundle, environment, tiny_run):
    (site,) = environment.glob("lib/python*/site-packages")
    files = [path for path in site.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    video = tiny_run.videos[0]
    by_checkpoint = run(environment, "-m", "stvit_video.predict", f"ckpt_path={tiny_run.checkpoint}", video)
    assert by_checkpoint.returncode == 1
    assert "needs the library 'torch'" in by_checkpoint.stderr
    exported = run(environment, "-m", "stvit_video.export", "format=onnx")
    assert (exported.returncode, exported.stderr.count("\n")) == (1, 1)
    assert "needs the library" in exported.stderr
    found = run(environment, "-m", "stvit_video.doctor", "env")
    assert "ok       onnxruntime: " in found.stdout, found.stderr
    table = environment / "labels.parquet"
    parquet = run(environment, "-m", "stvit_video.predict", f"bundle={bundle}", f"out={table}", video)
    assert parquet.returncode == 1
    assert "pip install pyarrow" in parquet.stderr
    assert not table.exists()


def test_the_server_of_the_guide(bundle, tiny_run, tmp_path, monkeypatch):
    """The program in docs/guides/deploy.md, on this bundle."""
    from fastapi.testclient import TestClient

    page = (REPOSITORY / "docs" / "guides" / "deploy.md").read_text(encoding="utf-8")
    text = page[page.index("# serve.py") :].split("```")[0]
    assert len(text.strip().splitlines()) <= 26
    (tmp_path / "serve.py").write_text(text)
    monkeypatch.setenv("BUNDLE", str(bundle))
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("serve", None)
    import serve

    client = TestClient(serve.app)
    theirs = stvit_video.load(tiny_run.checkpoint, device="cpu")(tiny_run.videos[1], top_k=3)
    answer = client.post("/label", content=tiny_run.videos[1].read_bytes())
    assert answer.status_code == 200
    assert list(answer.json()["labels"]) == list(theirs.labels)
    np.testing.assert_allclose(list(answer.json()["labels"].values()), theirs.probabilities, atol=1e-3)
    assert answer.json()["seconds"] == pytest.approx(2.5)
    broken = client.post("/label", content=b"no video")
    assert broken.status_code == 422
    assert "video" in broken.json()["detail"]
    assert "/" not in broken.json()["detail"]  # no path of the server
    assert client.post("/label", content=b"\0" * (serve.MOST_BYTES + 1)).status_code == 413
