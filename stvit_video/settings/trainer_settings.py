"""The settings `trainer`: epochs, devices, precision, and what is written while it runs."""

from typing import Any, Literal

from stvit_video.settings.declare import Count, Group, NonNegative, Positive, setting
from stvit_video.utils.choices import Accelerator, CompileMode, Precision, Strategy


class TrainerSettings(Group):
    """Epochs, devices, precision, and what is written while it runs."""

    max_epochs: Count = setting(30, "epochs of the training")
    accelerator: Accelerator = setting("auto", "what it runs on; auto = a GPU where there is one")
    devices: Any = setting(
        "auto", "processes on a machine; [0,2] = these GPUs; auto = every GPU, or what torchrun started"
    )
    num_nodes: Count = setting(1, "machines")
    strategy: Strategy = setting(
        "auto", "ddp = a whole model on each device; fsdp = weights, gradients and optimizer spread over them (FSDP2)"
    )
    sync_batchnorm: bool = setting(
        False, "batch norm over the batches of all processes (CAS-ViT, stvit_r_swin; on GPUs only)"
    )
    precision: Precision | Literal[16, 32, 64] = setting("auto", "auto = bf16-mixed on GPUs, 32-true on CPUs")
    gradient_clip_val: NonNegative | None = setting(1.0, "norm that gradients are cut to; null = as they are")
    accumulate_grad_batches: Count = setting(1, "batches of an optimizer step")
    compile: bool | CompileMode = setting(
        False, "torch.compile of the training's forward pass; every elastic count is compiled once"
    )
    gradient_checkpointing: bool = setting(
        False, "less memory for a second forward pass of every block; the result is the same"
    )
    max_nonfinite_steps: Count = setting(
        1, "stop at so many batches in a row whose loss is NaN or infinite; the steps before are skipped"
    )
    check_val_every_n_epoch: Count = setting(1, "epochs from one validation to the next")
    log_every_n_steps: Count = setting(10, "steps from one entry of the TensorBoard log to the next")
    checkpoint_minutes: Positive | None = setting(
        15, "between checkpoints within an epoch; null = only after epochs (and where a signal stops it)"
    )
    enable_progress_bar: bool = setting(
        True, "draw a progress bar where the output is a terminal; jobs of a sweep leave it out"
    )
