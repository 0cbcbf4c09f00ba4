"""Import of libraries that a user can do without, where they are needed and not before."""

import importlib
from types import ModuleType

INSTALL_PACKAGE = "pip install stvit-video, in a clone pip install ."


REQUIRED = (  # modules of what pyproject.toml requires, but for those that are imported where they are used
    *("torch", "torchvision", "lightning", "torchmetrics", "hydra", "omegaconf", "pydantic", "safetensors"),
    *("fsspec", "tqdm", "numpy", "PIL", "tensorboard"),
)


class MissingLibraryError(ImportError):
    """A library that this call needs is absent or broken; the message says how to install it."""


def install_extra(extra: str) -> str:
    """The command that installs what an extra of pyproject.toml lists, such as "onnx"."""
    return f"pip install 'stvit-video[{extra}]', in a clone pip install '.[{extra}]'"


def missing_library_sentence(error: BaseException) -> str | None:
    """What to tell where a library that the package requires is not installed; None of any other error."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if name not in REQUIRED:
        return None
    return f"this command needs the library {name!r}, which is not installed here; install it with: {INSTALL_PACKAGE}"


def load_optional(name: str, *, needed_for: str, install: str) -> ModuleType:
    """Import the module `name`, or say in one sentence what it is needed for and how to get it.

    Broken installations raise more than ImportError (OSError from a missing shared library,
    AttributeError from a version clash), so every exception counts as "not usable".

    Args:
        name: dotted module name, e.g. "decord".
        needed_for: what the caller wanted, e.g. "backend=decord".
        install: the command that provides the module, e.g. "pip install decord".

    Returns:
        The imported module.

    Raises:
        MissingLibraryError: the module can't be imported, for whatever reason.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise MissingLibraryError(
            f"{needed_for} needs the library {name!r}, which does not import here ({cause}); install it with: {install}"
        ) from error
