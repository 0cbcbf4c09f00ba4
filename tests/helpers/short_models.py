"""One model of each kind with the shortest plan that it can have, to be exported in seconds."""

from functools import cache

import torch

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.exporting.clip_graph import ClipGraph, example_frames
from stvit_video.exporting.fold_norms import fold_norms
from stvit_video.exporting.torch_program import export_program
from stvit_video.models import create_model, list_models, model_options
from stvit_video.models.activation_checkpointing import BatchNorm
from stvit_video.models.registry import FAMILY_OF_NAME, MODELS, family_of

SHORT = {  # what makes a family small, and options of the shortest dense, stvit_ and stvit_r_ model
    "deit": (
        {"embed_dim": 8, "num_heads": 2, "generate_at": 1, "image_size": 16, "patch_size": 4},
        {"depth": (2, 4, 5)},
    ),
    "swin": (
        {"embed_dim": 8, "num_heads": (1, 2, 2, 4), "image_size": 64},
        {"depths": ((2, 1, 2, 1), (2, 1, 4, 1), (2, 1, 6, 1))},
    ),
    "casvit": (
        {"embed_dims": (8, 8, 16, 16), "image_size": 64},
        {"depths": ((1, 1, 1, 1), (1, 1, 4, 1), (1, 1, 4, 1))},
    ),
}


def kind_of(name):
    """The name of the same kind in the first size of its family; with one set of options they are one model."""
    return f"{name.rpartition('_')[0]}_{next(iter(FAMILY_OF_NAME[name].sizes))}"


KINDS = sorted({kind_of(name) for name in list_models()})
PYRAMIDS = [
    name
    for name in KINDS
    if "features_only" in model_options(name) and (name.startswith("stvit_r_") or not name.startswith("stvit_"))
]


def short_model(name, **options):
    """The model of that name in evaluation, with fresh weights of which every part shows in the logits."""
    family, video = FAMILY_OF_NAME[name].name, MODELS[name].keywords["video"]
    slot = 2 if name.startswith("stvit_r_") else int(name.startswith("stvit_"))
    small, depths = SHORT[family]
    chosen = {"num_classes": 3, **small, **{option: values[slot] for option, values in depths.items()}}
    chosen |= {"num_frames": 4} if video else {}
    chosen |= {"num_tokens": (2, 2, 2) if video else (2, 2), "layer_scale_init": 0.5} if slot else {}
    torch.manual_seed(0)
    model = create_model(name, **chosen | options)
    if isinstance(model.head, torch.nn.Linear):  # fresh heads are so small that logits tell nothing
        torch.nn.init.normal_(model.head.weight)
    return with_statistics(model)


def with_statistics(module):
    """A module in evaluation whose batch norms have statistics and gains as after a training."""
    generator = torch.Generator().manual_seed(1)
    for norm in module.modules():
        if isinstance(norm, BatchNorm):
            values = ((norm.weight, 0.5), (norm.bias, -0.5), (norm.running_mean, -0.5), (norm.running_var, 0.5))
            for value, low in values:
                value.data.copy_(low + torch.rand(value.shape, generator=generator))
    return module.eval()


def preprocessing_of(name, **options):
    """What `short_model(name)` is fed with."""
    size = SHORT[FAMILY_OF_NAME[name].name][0]["image_size"]
    frames = 4 if MODELS[name].keywords["video"] else 1
    return Preprocessing(num_frames=frames, frame_stride=1, short_side=size, crop_size=size, **options)


@cache
def exported(name, *, features_only=False):
    """The graph of `short_model(name)` and its program; the tests of all formats share them."""
    model = short_model(name, features_only=True) if features_only else short_model(name)
    graph = ClipGraph(model, preprocessing_of(name)).eval()
    return graph, export_program(fold_norms(graph), example_frames(preprocessing_of(name)))


def short_clip(model):
    """A clip (1, 3, T, H, W) of the sizes of a short model, T = 1 for pictures; always the same."""
    side = 16 if family_of(model).name == "deit" else 64
    frames = 4 if len(model.grid.sizes) == 3 else 1
    return torch.randn(1, 3, frames, side, side, generator=torch.Generator().manual_seed(1))
