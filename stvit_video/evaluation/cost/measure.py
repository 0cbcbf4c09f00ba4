"""What a model costs: multiply-adds, parameters, clips per second."""

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from stvit_video.utils.compat import without_warning

# Fused operators with matrix products that fvcore has no count for: a model that uses them would look cheap.
UNCOUNTABLE = (
    "aten::_native_multi_head_attention",
    "aten::_transformer_encoder_layer_fwd",
    "aten::baddbmm",
    "aten::lstm",
    "aten::gru",
)


def count_parameters(model: nn.Module) -> int:
    """Number of values in all parameters, frozen ones included, shared ones once."""
    return sum(p.numel() for p in model.parameters())


def count_gmacs(model: nn.Module, input_size: Sequence[int]) -> float:
    """Giga multiply-adds of one forward pass of one clip or image (what papers mostly call GFLOPs).

    Counts convolutions, linear layers, matrix products, normalisations and fused attention (Q·K and A·V);
    element-wise operators, softmax and pooling count nothing. The mode of every module is put back afterwards.

    Args:
        input_size: of one item without the batch axis, e.g. (C, T, H, W) or (C, H, W).

    Raises:
        ValueError: the model uses a fused operator whose multiply-adds can't be counted.

    Source: fvcore's FlopCountAnalysis, where one multiply-add is one "flop".
    """
    clip = torch.zeros(1, *input_size, device=_device_of(model))
    # the warnings are fvcore's, nothing that our caller could mend
    with in_eval_mode(model), torch.no_grad(), without_warning("torch.jit"):
        from fvcore.nn import FlopCountAnalysis

        analysis = FlopCountAnalysis(model, clip)
        analysis.set_op_handle("aten::scaled_dot_product_attention", _count_attention)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        macs = analysis.total()
        uncounted = analysis.unsupported_ops()
    hidden = [name for name in UNCOUNTABLE if uncounted[name] > 0]
    if hidden:
        raise ValueError(f"the multiply-adds inside {', '.join(hidden)} can't be counted; use unfused layers instead")
    return float(macs) / 1e9


def measure_throughput(
    model: nn.Module,
    input_size: Sequence[int],
    *,
    batch_size: int,
    device: torch.device | str,
    repeats: int = 5,
    warmup: int = 2,
    autocast_dtype: torch.dtype | None = None,
) -> float:
    """Clips per second in inference: batch size over the median time of `repeats` forward passes.

    Args:
        model: moved to `device` by the caller; the mode of every module is put back afterwards.
        input_size: of one item without the batch axis, e.g. (C, T, H, W).
        warmup: forward passes before the clock runs.

    Raises:
        ValueError: a count that is not positive.
    """
    for name, value, least in (("batch_size", batch_size, 1), ("repeats", repeats, 1), ("warmup", warmup, 0)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    device = torch.device(device)
    mixed = torch.autocast(device.type, dtype=autocast_dtype) if autocast_dtype is not None else nullcontext()
    with in_eval_mode(model), torch.inference_mode(), mixed:
        clips = torch.zeros(batch_size, *input_size, device=device)
        seconds = [_time_forward(model, clips) for _ in range(warmup + repeats)][warmup:]
    return batch_size / statistics.median(seconds)


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Eval mode; afterwards each module has its own mode again, which need not be that of the modules around it."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _time_forward(model: nn.Module, clips: torch.Tensor) -> float:
    """Seconds of one forward pass, the device's queue empty before and after."""
    _synchronise(clips.device)
    start = time.perf_counter()
    model(clips)
    _synchronise(clips.device)
    return time.perf_counter() - start


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _count_attention(inputs: list[Any], outputs: list[Any]) -> int:
    """Multiply-adds of fused attention: q (..., N, D), k (..., M, D), v (..., M, E): N·M·(D+E) per head."""
    q, k, v = (list(value.type().sizes()) for value in inputs[:3])
    return math.prod(q[:-2]) * q[-2] * k[-2] * (q[-1] + v[-1])


def _device_of(model: nn.Module) -> torch.device:
    """Where the model's parameters are; the CPU if it has none."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))
