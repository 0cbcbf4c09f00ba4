"""Find settings of clips of frames that contradict others, before anything is read."""

from stvit_video.config.setting_checks import faults_of
from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, MAP_LAYOUTS
from stvit_video.factories.dense_parts import meta_dense
from stvit_video.factories.picture_frames import build_picture_batches, find_frame_options
from stvit_video.models.base import TokenModel
from stvit_video.settings.dense_settings import DenseSettings

__all__ = ["frame_faults"]


def frame_faults(settings: DenseSettings) -> list[str]:
    """Report a batch that is no whole clips, and a model whose frames have no tokens to share.

    Args:
        settings: of the training.
    """
    if settings.data.source not in (*BOX_LAYOUTS, *MAP_LAYOUTS):
        return []  # told where the layout is looked at
    clip_frames = find_frame_options(settings.data.plain()).clip_frames
    if clip_frames == 1:
        return []
    return [
        *faults_of(lambda: build_picture_batches(settings.data), name="data"),
        *_model_faults(settings, clip_frames),
    ]


def _model_faults(settings: DenseSettings, clip_frames: int) -> list[str]:
    try:
        backbone = meta_dense(settings).backbone
    except ValueError:
        return []  # told by the check of the head
    if not isinstance(backbone, TokenModel) or backbone.can_share_tokens:
        return []
    return [
        f"data.clip_frames={clip_frames} lets the frames of a clip share semantic tokens, and "
        f"model={settings.model.name} has none that it brings back; use model=stvit_r_..., or data.clip_frames=1"
    ]
