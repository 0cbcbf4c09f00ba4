"""Which libraries work here and which do not, each tried in a process of its own: some crash when they clash."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import distributions

from stvit_video.utils.no_reports import without_reports
from stvit_video.utils.optional import INSTALL_PACKAGE, install_extra

MIN_PYTHON = (3, 10)
TIME_LIMIT_SECONDS = 120.0
DECORD_PROVIDERS = ("decord", "eva-decord", "decord2")


@dataclass(frozen=True)
class Check:
    """One library and the code that shows that it works.

    Attributes:
        name: of the library.
        code: Python; it imports the library, tries what this package needs of it and may print a line of
            details, which stands in the report.
        is_needed: True = training can't run without it.
        use: what an optional library is for, or how to get a needed one.
    """

    name: str
    code: str
    is_needed: bool
    use: str


@dataclass(frozen=True)
class Finding:
    """What a check gave: its details, or the last line of the error; `is_slow`: it did not end, which tells nothing."""

    check: Check
    works: bool
    details: str
    is_slow: bool = False

    def line(self) -> str:
        """One line for a reader."""
        if self.works:
            return f"ok       {self.check.name}: {self.details}"
        if self.is_slow:
            return f"slow     {self.check.name}: {self.details}; try again when the machine is less busy"
        need = "MISSING " if self.check.is_needed else "optional"
        return f"{need} {self.check.name}: {self.details} ({self.check.use})"


def _version_of(module: str) -> str:
    return f"import {module}\nprint(getattr({module}, '__version__', 'imports'))"


def _imports(modules: Sequence[str]) -> str:
    """Code that imports all of them, and prints the version of the last."""
    versions = ["from importlib.metadata import version", f"print(version({modules[-1].partition('.')[0]!r}))"]
    return "\n".join([*(f"import {name}" for name in modules), *versions])


TORCHVISION = """
import torch, torchvision
torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
print(torchvision.__version__)
"""
PYAV = """
import av
av.codec.Codec("libx264", "w")
print(av.__version__, "with libx264")
"""
CUDA = """
import torch
if torch.version.cuda is None and torch.version.hip is None:
    raise SystemExit("this torch is built for CPUs only")
if not torch.cuda.is_available():
    raise SystemExit("torch is built for CUDA " + str(torch.version.cuda) + ", but finds no GPU or no driver")
names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
print(torch.version.cuda, "with", len(names), "device(s):", ", ".join(sorted(set(names))))
"""
EXTRAS = (  # name, extra of pyproject.toml, what it has to bring, the command that needs it
    ("ONNX Runtime", "onnx", ("onnx", "onnxscript", "onnxruntime"), "stvit_video.export"),
    ("OpenVINO", "openvino", ("nncf", "openvino"), "stvit_video.export"),
    ("Core ML Tools", "coreml", ("coremltools",), "stvit_video.export"),
    ("ExecuTorch", "executorch", ("executorch.exir",), "stvit_video.export"),
    ("gradio", "demo", ("gradio",), "stvit_video.demo"),
)
INSTALL = f"needed; {INSTALL_PACKAGE}"
CHECKS = (
    Check("torch", "import torch\ntorch.ones(2) @ torch.ones(2)\nprint(torch.__version__)", True, INSTALL),
    Check("torchvision", TORCHVISION, True, "needed, in the version that belongs to torch"),
    Check("av", PYAV, True, "needed, reads and writes videos; pip install av"),
    Check("hydra", _version_of("hydra"), True, "needed; pip install hydra-core"),
    Check("lightning", "import lightning.pytorch as pl\nprint(pl.__version__)", True, INSTALL),
    Check("torchmetrics", _version_of("torchmetrics"), True, INSTALL),
    Check("fvcore", "import fvcore.nn\nprint('imports')", True, "needed, counts multiply-adds"),
    Check("matplotlib", "import matplotlib.pyplot\nprint(matplotlib.__version__)", True, "needed, draws curves"),
    Check("safetensors", "import safetensors.torch\nprint(safetensors.__version__)", True, INSTALL),
    Check(
        "pyarrow",
        "import pyarrow.parquet\nprint(pyarrow.__version__)",
        True,
        "needed, stores the logits of evaluations",
    ),
    Check("tensorboard", "import torch.utils.tensorboard\nprint('imports')", True, INSTALL),
    Check("jinja2", _version_of("jinja2"), False, "for pages such as report.html; pip install jinja2"),
    Check("decord", _version_of("decord"), False, "for data.backend=decord; pip install decord"),
    Check("torchcodec", _version_of("torchcodec"), False, "another decoder; it needs FFmpeg's shared libraries"),
    Check("pytorchvideo", "import pytorchvideo.data\nprint('imports')", False, "its clip samplers and data sets"),
    *(
        Check(f"{name} (extra {extra})", _imports(modules), False, f"for {command}; {install_extra(extra)}")
        for name, extra, modules, command in EXTRAS
    ),
    *(
        Check(name, _version_of(name), False, f"runs bundles of format={form}; pip install {name}")
        for name, form in (("onnxruntime", "onnx"), ("openvino", "openvino"))
    ),
    Check("CUDA", CUDA, False, "without a GPU training runs on the CPU"),
)


def describe_environment(
    checks: Sequence[Check] = CHECKS, *, time_limit_seconds: float = TIME_LIMIT_SECONDS
) -> tuple[list[str], bool]:
    """Try every library.

    Args:
        checks: what to try.
        time_limit_seconds: for each of them.

    Returns:
        A line each, and whether training can run here.
    """
    with without_reports(), ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda check: run_check(check, time_limit_seconds=time_limit_seconds), checks))
    is_python_new = sys.version_info >= MIN_PYTHON
    python = f"{'ok      ' if is_python_new else 'MISSING '} Python: {sys.version.split()[0]} ({sys.executable})"
    can_train = is_python_new and all(finding.works for finding in found if finding.check.is_needed)
    return [python, *(finding.line() for finding in found), *find_clashes(), _verdict(found, is_python_new)], can_train


def _verdict(found: Sequence[Finding], is_python_new: bool) -> str:
    failed = [finding for finding in found if finding.check.is_needed and not finding.works]
    if not is_python_new or any(not finding.is_slow for finding in failed):
        return "training can NOT run here; mend what is MISSING"
    if failed:
        names = ", ".join(finding.check.name for finding in failed)
        return f"whether training can run here is not known: {names} did not import in time; try again"
    return "training can run here"


def run_check(check: Check, *, time_limit_seconds: float = TIME_LIMIT_SECONDS) -> Finding:
    """Run one check in a Python of its own, which may crash or hang."""
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", check.code],
            capture_output=True,
            text=True,
            timeout=time_limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(check, False, f"its import did not end within {time_limit_seconds:g} s", is_slow=True)
    if done.returncode == 0:
        return Finding(check, True, _last_line(done.stdout) or "imports")
    if done.returncode < 0:
        return Finding(check, False, f"its import crashes Python (signal {-done.returncode})")
    return Finding(check, False, _last_line(done.stderr) or f"its import ends Python with code {done.returncode}")


def find_clashes(installed: Callable[[], list[str]] | None = None) -> list[str]:
    """A line for installed packages that write the same module, so that the later one wins.

    Args:
        installed: gives the names of the installed packages; None = those of this Python.
    """
    names = {name.lower().replace("_", "-") for name in (installed or _installed_names)()}
    providers = [name for name in DECORD_PROVIDERS if name in names]
    if len(providers) < 2:
        return []
    return [
        f"clash    decord: {' and '.join(providers)} are both installed and overwrite each other; "
        f"pip uninstall -y {' '.join(providers)}, then pip install decord"
    ]


def _installed_names() -> list[str]:
    return [str(distribution.metadata["Name"]) for distribution in distributions()]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
