"""OpenVINO models in 8 bits, by NNCF: calibrated on clips, with chosen parts left in higher precision."""

import io
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from torch import nn
from torch.export import ExportedProgram

from stvit_video.bundles.bundle_formats import FORMATS
from stvit_video.models.base import TokenModel
from stvit_video.utils.no_reports import without_reports
from stvit_video.utils.optional import load_optional

PATCHES, GENERATION, HEAD = "patch_embed", "generation", "head"
PARTS = (PATCHES, GENERATION, HEAD)  # that can be left in higher precision
STEMS = ("patch_embed", "stem")  # what the families call the layer that takes pixels


def quantiser_of(
    model: TokenModel, inputs: Sequence[np.ndarray], *, keep: Collection[str] = PARTS
) -> Callable[[ExportedProgram, Any], Any]:
    """What makes a model in 8 bits, as `write_graph` takes it: weights and activations, attention as in transformers.

    Args:
        model: that is exported.
        clips: what the graph takes, (1, ...) each, such as (1, T, H, W, 3) uint8: like those that it will see.
        keep: of `PARTS`, those that stay in higher precision.

    Returns:
        A function of a program and its `openvino.Model`.

    Raises:
        MissingLibraryError: nncf is missing.

    Source: NNCF's post-training quantization, with its preset for transformers.
    """
    with without_reports():
        nncf = load_optional("nncf", needed_for="precision=int8", install=FORMATS["openvino"].install)
    prefixes = module_names(model, keep)

    def quantise(program: ExportedProgram, graph: Any) -> Any:
        nncf.set_log_level(logging.ERROR)  # it names every operation that is kept
        with redirect_stdout(io.StringIO()):  # and draws bars
            return nncf.quantize(
                graph,
                nncf.Dataset(list(inputs)),
                preset=nncf.QuantizationPreset.MIXED,
                model_type=nncf.ModelType.TRANSFORMER,
                subset_size=len(inputs),
                ignored_scope=nncf.IgnoredScope(names=kept_operations(program, graph, prefixes)),
            )

    return quantise


def module_names(model: TokenModel, keep: Collection[str]) -> tuple[str, ...]:
    """Names of a model's modules that stay in higher precision.

    Args:
        model: a classifier.
        keep: of `PARTS`.

    Raises:
        ValueError: a part that is none of them.
    """
    if unknown := [part for part in keep if part not in PARTS]:
        raise ValueError(f"keep={unknown[0]} is no part of a model here; use some of {', '.join(PARTS)}")
    makers: list[nn.Module] = list(model.reducers())
    found = {
        PATCHES: [name for name, _ in model.named_children() if name in STEMS],
        GENERATION: [name for name, module in model.named_modules() if any(module is maker for maker in makers)],
        HEAD: [name for name, _ in model.named_children() if name == "head"],
    }
    return tuple(name for part in PARTS if part in keep for name in found[part])


def kept_operations(program: ExportedProgram, graph: Any, prefixes: Collection[str]) -> list[str]:
    """Operations of a graph that come from some modules and have weights or products in them.

    Args:
        program: that the graph was made of; its module has the model as `model`.
        graph: an `openvino.Model`, whose operations are called after the nodes of the program.
        prefixes: names of modules of the model.

    Returns:
        Their names in the graph, in its order.
    """
    kept = {node.name for node in program.graph.nodes if _is_of(node.meta.get("nn_module_stack"), prefixes)}
    return [
        operation.get_friendly_name()
        for operation in graph.get_ordered_ops()
        if operation.get_friendly_name().partition("/")[0] in kept and _is_computed(operation)
    ]


def _is_of(stack: dict[str, tuple[str, Any]] | None, prefixes: Collection[str]) -> bool:
    """Whether a node comes from one of the modules, by the stack of modules that torch.export notes."""
    modules = [path for path, _ in (stack or {}).values()]
    names = {f"model.{prefix}" for prefix in prefixes}
    return any(module == name or module.endswith(f".{name}") for module in modules for name in names)


def _is_computed(operation: Any) -> bool:
    return operation.get_type_name() not in ("Constant", "Result", "Parameter")
