"""The family of Swin: its sizes, its models with recovery as they were released, formats and layers."""

from stvit_video.models.family import Family, LayerGroups
from stvit_video.models.swin.formats import FORMATS
from stvit_video.models.swin.model import Swin
from stvit_video.models.swin.variants import VIDEO_OPTIONS, swin
from stvit_video.models.swin.windowed_weights import check_windowed_weights

SWIN = Family(
    name="swin",
    builder=swin,
    model=Swin,
    sizes={
        "tiny": {"embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)},
        "small": {"embed_dim": 96, "depths": (2, 2, 18, 2), "num_heads": (3, 6, 12, 24)},
        "base": {"embed_dim": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)},
    },
    clip_options=VIDEO_OPTIONS,
    recovery={"conv_stem": True, "generate_shortcut": False, "global_centers": False, "block_layer_scale": 1e-5},
    formats=FORMATS,
    adapt_state=check_windowed_weights,
    layers=LayerGroups(first=("patch_embed.",), norms=("norm.", "norms.")),
)
