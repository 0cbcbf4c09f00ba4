"""Every private name and wording that stvit_video.utils.compat relies on, tried on the installed libraries."""

import ast
import io
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from lightning.pytorch.callbacks import ModelCheckpoint, WeightAveraging
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm
from noting_callback import Logging, Noting
from quiet_trainer import quiet_trainer
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchmetrics.classification import MulticlassAccuracy
from tqdm import tqdm

from stvit_video.settings.paths import CONF_DIR
from stvit_video.utils import compat
from stvit_video.utils.compat import SEEN_WITH, LibraryPartError, LostWorkers, end_progress_bars

PUBLIC = ("_asdict", "_replace", "_exit")  # of named tuples, and of os
REPOSITORY = Path(__file__).parents[2]
PEER = REPOSITORY / "tests" / "helpers" / "leaving_peer.py"


@contextmanager
def seen(library):
    """Name the version that the part was seen with where what is within fails."""
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:
        raise AssertionError(
            f"this held with {library} {SEEN_WITH[library]}, {version(library)} is installed; mend utils/compat.py"
        ) from error


def test_a_failure_names_both_versions(monkeypatch):
    monkeypatch.setitem(SEEN_WITH, "torch", "0.0.1")
    words = rf"held with torch 0\.0\.1, {version('torch')} is installed"
    with pytest.raises(AssertionError, match=words.replace("+", r"\+")), seen("torch"):
        raise KeyError("gone")


def private_names(tree):
    """Line and name of every private name of another object, or of a library's module, that a file uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("stvit_video"):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        else:
            continue
        found = [name for name in names if name.startswith("_") and not name.endswith("__") and name not in PUBLIC]
        yield from ((node.lineno, name) for name in found)


def test_no_other_file_uses_private_names():
    files = [path for path in (REPOSITORY / "stvit_video").rglob("*.py") if not path.name.startswith("compat")]
    found = [(path.name, *use) for path in files for use in private_names(ast.parse(path.read_text(encoding="utf-8")))]
    assert not found
    sample = "import hydra\nfrom hydra._internal.utils import x\nself._own = trainer.loop._results\nos._exit(0)"
    assert list(private_names(ast.parse(sample))) == [(2, "_internal"), (3, "_results")]


# --- Hydra ---


def test_hydras_parser_splits_a_command_line():
    with seen("hydra-core"):
        flags = compat.parse_hydra_arguments(["a.b=1", "-m", "--cfg", "job", "+c=2", "--config-name", "other"])
        assert flags.overrides == ["a.b=1", "+c=2"]
        assert (flags.multirun, flags.cfg, flags.config_name) == (True, "job", "other")
        assert not any((flags.help, flags.hydra_help, flags.info, flags.shell_completion))


def test_hydra_without_its_parser_is_told(monkeypatch):
    monkeypatch.delattr("hydra._internal.utils.get_args_parser")
    words = r"^hydra-core \S+ has no hydra._internal.utils.get_args_parser; install hydra-core==\S+, or mend"
    with pytest.raises(LibraryPartError, match=words):
        compat.parse_hydra_arguments([])


def test_hydras_search_path_is_left_out():
    with seen("hydra-core"), initialize_config_dir(CONF_DIR, version_base="1.3"):
        with pytest.raises(HydraException) as caught:
            compose("train", overrides=["+experiment=nothing"])
        text = compat.without_search_path(str(caught.value))
        assert "experiment/nothing" in text
        assert len(text) < len(str(caught.value))
        assert CONF_DIR not in text


# --- torch ---


class Ends(Dataset):
    """Its loader process is killed, leaves, or may write no file of more than some bytes."""

    def __init__(self, how):
        self.how = how

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "leaves":
            os._exit(3)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        return torch.zeros(5000)


def error_of(how):
    with pytest.raises(RuntimeError) as caught:
        list(DataLoader(Ends(how), num_workers=1, batch_size=2, multiprocessing_context="fork"))
    return caught.value


@pytest.mark.parametrize(("how", "words"), [("killed", "Killed"), ("leaves", "")])
def test_lost_loader_processes_are_found(how, words):
    error = error_of(how)
    with seen("torch"):
        lost = compat.find_lost_workers(error)
        assert lost is not None
        assert lost.signal == words
        assert len(lost.pids) == 1
        assert str(lost.pids[0]) in str(error)
        assert not compat.is_of_full_shared_memory(error)


def test_several_lost_processes_by_the_wording():
    error = RuntimeError("DataLoader worker (pid(s) 7, 12) exited unexpectedly")
    assert compat.find_lost_workers(error) == LostWorkers((7, 12), "")


def test_full_shared_memory_is_recognised():
    error = error_of("finds no room")
    with seen("torch"):
        assert compat.is_of_full_shared_memory(error)
        assert compat.find_lost_workers(error) is None


def test_a_process_that_has_left_is_recognised_with_gloo(tmp_path):
    commands = [[sys.executable, str(PEER), str(rank), str(tmp_path / "meeting")] for rank in (0, 1)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    first, second = (subprocess.Popen(c, env=environment, stdout=subprocess.PIPE, text=True) for c in commands)
    try:
        told, _ = first.communicate(timeout=120)
        second.communicate(timeout=120)
    finally:
        first.kill()
        second.kill()
    with seen("torch"):
        assert told.startswith("True "), told


def test_other_errors_are_of_none_of_these():
    """The second one is NCCL's, which needs two GPUs to be provoked: nobody has seen it but in reports."""
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert compat.find_lost_workers(error) is None
    assert not compat.is_of_full_shared_memory(error)
    assert not compat.is_of_lost_process(error)
    assert compat.is_of_lost_process(RuntimeError("NCCL error: remote process exited or there was a network error"))


@pytest.mark.parametrize("is_gone", [False, True])
def test_averages_and_copies_with_and_without_the_private_kernels(monkeypatch, is_gone):
    with seen("torch"):
        assert hasattr(torch, "_foreach_lerp_")
        assert hasattr(torch, "_foreach_copy_")
    if is_gone:
        monkeypatch.delattr(torch, "_foreach_lerp_")
        monkeypatch.delattr(torch, "_foreach_copy_")
    averages, weights = [torch.zeros(2, 3), torch.ones(5)], [torch.ones(2, 3), torch.full((5,), 5.0)]
    compat.move_averages(averages, weights, share=0.25)
    assert torch.equal(averages[0], torch.full((2, 3), 0.25))
    assert torch.equal(averages[1], torch.full((5,), 2.0))
    compat.copy_all(averages, weights)
    assert all(map(torch.equal, averages, weights))


@pytest.mark.parametrize(("is_marked", "num_graphs"), [(False, 1), (True, 2)])
def test_a_static_axis_is_compiled_anew_for_every_size(is_marked, num_graphs):
    graphs = []

    def keep(graph, inputs):
        graphs.append(graph)
        return graph.forward

    def double(x):
        if is_marked:
            compat.mark_static(x, 1)
        return x * 2

    compiled = torch.compile(double, backend=keep, dynamic=True)
    with seen("torch"):
        for size in (5, 7):
            assert compiled(torch.ones(3, size)).sum() == 6 * size
        assert len(graphs) == num_graphs


def test_last_learning_rates_are_set():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    with seen("torch"):
        compat.set_last_rates(scheduler, [0.125])
        assert scheduler.get_last_lr() == [0.125]
    with pytest.raises(LibraryPartError, match=r"^torch \S+ has no LRScheduler\._last_lr; install torch=="):
        compat.set_last_rates(SimpleNamespace(), [0.125])


def test_the_result_of_a_metric_is_forgotten():
    metric = MulticlassAccuracy(num_classes=2, average="micro")
    metric.update(torch.tensor([1]), torch.tensor([1]))
    assert metric.compute() == 1
    metric.fp = metric.fp + 3
    metric.fn = metric.fn + 3
    with seen("torchmetrics"):
        assert metric.compute() == 1
        compat.forget_result(metric)
        assert metric.compute() == 0.25
    with pytest.raises(LibraryPartError, match="has no Metric._computed"):
        compat.forget_result(SimpleNamespace())


# --- Lightning ---


@pytest.mark.filterwarnings("ignore")
def test_what_a_loop_has_logged_and_where_a_checkpoint_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noting, module = Noting(), Logging()
    with seen("lightning"):
        assert not compat.has_trainer(module)
        quiet_trainer(noting, max_epochs=2).fit(module, DataLoader(torch.zeros(3, 1)))
        assert noting.has_trainer
        assert noting.checkpoints == [(True, (1, 0)), (False, (1, 2)), (True, (2, 0))]
        assert {key: is_summed for key, (is_summed, _) in noting.logged.items()} == {
            "training_step.number": True,
            "training_step.bar": False,
            "training_step.hits": True,
        }
        sums = noting.logged["training_step.number"][1]
        assert (sums["value"], sums["cumulated_batch_size"]) == (1.0, 2)
        assert noting.logged["training_step.hits"][1]["tp"] == 1


def test_parts_that_lightning_lacks_are_told():
    nothing = SimpleNamespace()
    for function, part in (
        (compat.logged_metrics, r"fit_loop\.epoch_loop\._results"),
        (compat.has_trainer, r"LightningModule\._trainer"),
        (compat.has_average, r"WeightAveraging\._average_model"),
    ):
        with pytest.raises(LibraryPartError, match=rf"^lightning \S+ has no {part}; install lightning=="):
            function(nothing)
    with pytest.raises(KeyError):
        compat.epochs_and_batches({})


def test_the_average_and_the_warning_that_it_does_not_shard():
    averaging, module = WeightAveraging(), Logging()
    with seen("lightning"):
        assert not compat.has_average(averaging)
        with pytest.warns(UserWarning, match="configure_model"):
            WeightAveraging().setup(SimpleNamespace(), module, "fit")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with compat.without_warning("configure_model"):
                averaging.setup(SimpleNamespace(), module, "fit")
        assert compat.has_average(averaging)


def test_the_warning_of_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "file").touch()
    trainer = quiet_trainer(max_epochs=1)
    with seen("lightning"):
        with pytest.warns(UserWarning, match="not empty"):
            ModelCheckpoint(tmp_path).setup(trainer, Logging(), "fit")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with compat.without_warning("checkpoint folder"):
                ModelCheckpoint(tmp_path).setup(trainer, Logging(), "fit")


def test_lightnings_notes_are_not_shown_and_its_warnings_are():
    note = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    with seen("lightning"):
        with compat.without_advertisements():
            assert [note.isEnabledFor(level) for level in (logging.INFO, logging.WARNING)] == [False, True]
        assert note.isEnabledFor(logging.INFO)


# --- several ---


FVCORE = """
from contextlib import nullcontext
from stvit_video.utils.compat import without_warning
with {context}:
    import fvcore.nn
"""


@pytest.mark.parametrize("is_quiet", [False, True])
def test_the_warning_of_fvcore_which_comes_with_its_import(is_quiet):
    code = FVCORE.format(context="without_warning('torch.jit')" if is_quiet else "nullcontext()")
    command = [sys.executable, "-W", "error::FutureWarning", "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    with seen("fvcore"):
        assert (done.returncode == 0) is is_quiet, done.stderr
        assert ("torch.jit" in done.stderr.splitlines()[-1]) if not is_quiet else not done.stderr


def test_tensorboards_threads_are_known(tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    before = set(threading.enumerate())
    with SummaryWriter(str(tmp_path)), seen("tensorboard"):
        new = set(threading.enumerate()) - before
        assert [compat.is_tensorboard_writer(thread) for thread in new] == [True]
    assert not compat.is_tensorboard_writer(threading.main_thread())
    assert not compat.is_tensorboard_writer(None)


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("kind", [tqdm, Tqdm])  # Lightning's own
def test_bars_are_closed(kind, stays):
    shown = io.StringIO()
    bar = kind(total=7, file=shown, leave=stays)
    bar.update()
    end_progress_bars()
    assert bar.disable  # closed
    assert shown.getvalue().endswith("\n" if stays else "\r")
