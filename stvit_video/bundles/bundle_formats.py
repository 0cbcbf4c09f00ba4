"""The formats of exported graphs: what each is called, needs and offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from stvit_video.utils.no_reports import without_reports
from stvit_video.utils.optional import install_extra, load_optional

Precision = Literal["fp32", "bf16", "int8"]


@dataclass(frozen=True, kw_only=True)
class GraphFormat:
    """A kind of file that holds a graph.

    Attributes:
        name: as settings and bundles write it.
        ending: of the file's or folder's name, with the dot.
        extra: of pyproject.toml, which installs the libraries; None = torch itself.
        libraries: modules that writing the graph needs.
        runtime: the module that runs it.
        precisions: in which its graphs come.
    """

    name: str
    ending: str
    extra: str | None
    libraries: tuple[str, ...]
    runtime: str
    precisions: tuple[Precision, ...] = ("fp32",)

    @property
    def install(self) -> str:
        """The command that installs what writes and runs its graphs."""
        return "pip install torch" if self.extra is None else install_extra(self.extra)

    @property
    def install_runtime(self) -> str:
        """The command that installs what runs its graphs, without what writes them."""
        return f"pip install {self.runtime.partition('.')[0]}"

    def check_libraries(self, libraries: Sequence[str] | None = None) -> None:
        """Import what it needs.

        Args:
            libraries: modules; None = those that writing a graph needs.

        Raises:
            MissingLibraryError: a library is missing or broken.
        """
        with without_reports():
            for library in self.libraries if libraries is None else libraries:
                load_optional(library, needed_for=f"format={self.name}", install=self.install)

    def check_precision(self, precision: str) -> None:
        """Raise unless graphs come in this precision.

        Raises:
            ValueError: they don't.
        """
        if precision not in self.precisions:
            others = ", ".join(form.name for form in FORMATS.values() if precision in form.precisions)
            way = f"or take precision={precision} with format={others}" if others else f"no format has {precision}"
            raise ValueError(
                f"precision={precision} is none of format={self.name}, which has {', '.join(self.precisions)}; "
                f"use one of these, {way}"
            )


FORMATS: Mapping[str, GraphFormat] = MappingProxyType(
    {
        form.name: form
        for form in (
            GraphFormat(name="torch_export", ending=".pt2", extra=None, libraries=("torch",), runtime="torch"),
            GraphFormat(
                name="onnx", ending=".onnx", extra="onnx", libraries=("onnx", "onnxscript"), runtime="onnxruntime"
            ),
            GraphFormat(
                name="openvino",
                ending=".xml",
                extra="openvino",
                libraries=("openvino",),
                runtime="openvino",
                precisions=get_args(Precision),
            ),
            GraphFormat(
                name="coreml",
                ending=".mlpackage",
                extra="coreml",
                libraries=("coremltools",),
                runtime="coremltools",
            ),
            GraphFormat(
                name="executorch",
                ending=".pte",
                extra="executorch",
                libraries=("executorch.exir",),
                runtime="executorch.runtime",
            ),
        )
    }
)


def find_format(name: str) -> GraphFormat:
    """The format of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in FORMATS:
        raise ValueError(f"format={name!r} is no format of graphs; use one of {', '.join(FORMATS)}")
    return FORMATS[name]
