"""The family of CAS-ViT: its sizes, formats and layers."""

from stvit_video.models.casvit.formats import FORMATS
from stvit_video.models.casvit.model import CasViT
from stvit_video.models.casvit.variants import VIDEO_OPTIONS, casvit
from stvit_video.models.family import Family, LayerGroups

CASVIT = Family(
    name="casvit",
    builder=casvit,
    model=CasViT,
    sizes={
        "xs": {"embed_dims": (48, 56, 112, 220), "depths": (2, 2, 4, 2)},
        "s": {"embed_dims": (48, 64, 128, 256), "depths": (3, 3, 6, 3)},
        "m": {"embed_dims": (64, 96, 192, 384), "depths": (3, 3, 6, 3)},
        "t": {"embed_dims": (96, 128, 256, 512), "depths": (3, 3, 6, 3)},
    },
    clip_options=VIDEO_OPTIONS,
    exceptions={  # 14x14 become 7x7; by default they become 4x4
        f"{slot}casvit_{size}": {"token_stride": 2} for slot in ("stvit_", "stvit_r_") for size in ("s", "m", "t")
    },
    formats=FORMATS,
    layers=LayerGroups(
        first=("stem.",),
        norms=("norm.", "norms."),
        heads=("head.", "dist_head."),
        frame_kinds=("mixer",),
        attention_free_kinds=("mixer",),
    ),
)
