"""The family of DeiT: its sizes, formats and layers."""

from stvit_video.models.deit.formats import FORMATS
from stvit_video.models.deit.model import DeiT
from stvit_video.models.deit.pooling import adapt_norm
from stvit_video.models.deit.transformers_formats import FORMATS as TRANSFORMERS_FORMATS
from stvit_video.models.deit.variants import VIDEO_OPTIONS, deit
from stvit_video.models.family import Family, LayerGroups

DEIT = Family(
    name="deit",
    builder=deit,
    model=DeiT,
    sizes={
        "tiny": {"embed_dim": 192, "num_heads": 3},
        "small": {"embed_dim": 384, "num_heads": 6},
        "base": {"embed_dim": 768, "num_heads": 12},
    },
    clip_options=VIDEO_OPTIONS,
    formats=TRANSFORMERS_FORMATS + FORMATS,
    layers=LayerGroups(first=("patch_embed.", "cls_token", "pos_embed"), frame_kinds=("frame",)),
    adapt_state=adapt_norm,
)
