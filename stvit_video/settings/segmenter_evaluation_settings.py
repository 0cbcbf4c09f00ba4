"""The settings of stvit_video.evaluate for a checkpoint that labels pixels; null = as the checkpoint says."""

from typing import Literal

from stvit_video.settings.declare import MISSING, Count, Group, Natural, setting
from stvit_video.settings.evaluate_settings import EvaluatedData
from stvit_video.utils.addresses import Place
from stvit_video.utils.choices import EvaluationPrecision


class SegmenterEvaluation(Group):
    """The settings of stvit_video.evaluate that a segmenter's checkpoint takes."""

    ckpt_path: Place = setting(MISSING, "checkpoint that stvit_video.train wrote, or an exported folder")
    data: EvaluatedData = EvaluatedData()
    short_side: Count | None = setting(None, "pixels of the short side of a picture; null = as the model was trained")
    long_side: Count | None = setting(None, "most pixels of the long side; null = as the model was trained")
    window: Natural | None = setting(
        None,
        "pixels of the side of windows that slide over a picture; 0 = the whole picture at once, null = as the model "
        "was trained",
    )
    window_stride: Count | None = setting(None, "pixels from one window to the next; null = as the model was trained")
    key_every: Count = setting(
        1,
        "frames of a video from one to the next that makes semantic tokens, which those behind it share; 1 = every one",
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:<n>; auto = the first GPU if there is one")
    precision: EvaluationPrecision | Literal[16, 32] = setting("32", "of the model")
    batch_size: Count = setting(4, "pictures of a batch")
    num_workers: Natural = setting(2, "processes that read; 0 = the main process")
