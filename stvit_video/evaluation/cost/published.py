"""Published sizes and costs of models, to stand beside what is counted here."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the reference, a paper or its code, says of one model for one view.

    Args:
        input_size: (H, W) pixels, or (T, H, W) frames and pixels, that the figures hold for.
        parameters_millions: parameters, the head's included; None where not known.
        gmacs: giga multiply-adds, which the papers call GFLOPs.
        note: what else the figures hold for, where that is not what our model of that name has by default.
    """

    input_size: tuple[int, ...] = (224, 224)
    parameters_millions: float | None = None
    gmacs: float
    note: str = ""


CASVIT_NOTE = "published with a second head, for distillation (ours: distillation=True)"

# Source: fvcore's count on the reference code, fused attention counted: timm's DeiT and Swin, the authors' CAS-ViT and
# STViT-R-Swin; of Video Swin the GFLOPs of its paper (Liu et al. 2022), for clips of 32 frames.
PUBLISHED: dict[str, Published] = {
    "deit_tiny": Published(parameters_millions=5.7, gmacs=1.26),
    "deit_small": Published(parameters_millions=22.1, gmacs=4.61),
    "deit_base": Published(parameters_millions=86.6, gmacs=17.58),
    "swin_tiny": Published(parameters_millions=28.3, gmacs=4.51),
    "swin_small": Published(parameters_millions=49.6, gmacs=8.77),
    "swin_base": Published(parameters_millions=87.8, gmacs=15.47),
    "stvit_r_swin_small": Published(parameters_millions=49.63, gmacs=5.82),
    "stvit_r_swin_base": Published(parameters_millions=87.82, gmacs=10.26),
    "casvit_xs": Published(parameters_millions=3.20, gmacs=0.554, note=CASVIT_NOTE),
    "casvit_s": Published(parameters_millions=5.76, gmacs=0.923, note=CASVIT_NOTE),
    "casvit_m": Published(parameters_millions=12.42, gmacs=1.874, note=CASVIT_NOTE),
    "casvit_t": Published(parameters_millions=21.76, gmacs=3.579, note=CASVIT_NOTE),
    "video_swin_tiny": Published(input_size=(32, 224, 224), gmacs=88.0),
    "video_swin_small": Published(input_size=(32, 224, 224), gmacs=166.0),
    "video_swin_base": Published(input_size=(32, 224, 224), gmacs=282.0),
}


def published_figures(name: str, input_size: tuple[int, ...]) -> Published | None:
    """The figures of that model for inputs of that size; None where none are known."""
    found = PUBLISHED.get(name)
    return found if found is not None and found.input_size == tuple(input_size) else None
