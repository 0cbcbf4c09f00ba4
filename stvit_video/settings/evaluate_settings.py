"""The settings of stvit_video.evaluate; null = as the checkpoint says."""

from typing import Literal

from stvit_video.settings.declare import (
    MISSING,
    Count,
    Group,
    Natural,
    NonNegative,
    NumTokens,
    OpenGroup,
    Positive,
    setting,
)
from stvit_video.settings.event_settings import EventSettings
from stvit_video.utils.addresses import Place
from stvit_video.utils.choices import Average, Backend, EvaluationPrecision, LabelAt


class EvaluatedModel(Group):
    """How the model runs."""

    num_tokens: NumTokens | None = setting(
        None, "semantic tokens, a count or a grid [T,H,W]; any model with semantic tokens runs with others, too"
    )
    generate_at: Count | None = setting(
        None, "blocks before the tokens are generated, one of those it was trained for (model.elastic_generate_at)"
    )


class EvaluatedData(OpenGroup):
    """What is evaluated; without a source the validation data of the training run. Layouts have further settings."""

    source: str | None = setting(None, "layout of the data; null = the validation data of the training run")
    val: Place | None = setting(
        None,
        "csv, kinetics: the manifest file; folder, image_folder: the folder (or .zip) of class folders; shards: "
        "the shards",
    )
    root: Place | None = setting(
        None, "where relative paths start (csv); without a source: where the training run's data are now"
    )
    val_videos: Place | None = setting(None, "kinetics: the folder of the videos")
    allow_addresses: bool = setting(False, "shards: they may be at an address (s3://, gs://, https://)")
    label_separator: str | None = setting(
        None, 'csv: "|" for several labels a video, run|jump; null = as in the training'
    )


class EvaluateSettings(Group):
    """All settings of stvit_video.evaluate."""

    ckpt_path: Place = setting(MISSING, "checkpoint that stvit_video.train wrote, or an exported folder")
    model: EvaluatedModel = EvaluatedModel()
    data: EvaluatedData = EvaluatedData()
    protocol: str | None = setting(
        None,
        "uniform, single, videoswin, mmaction, videomae, videomae_ssv2, mvit, uniformer, slowfast or timesformer; "
        "python -m stvit_video.data explain FILE protocol=... draws what it looks at",
    )
    num_clips: Count | None = setting(None, "clips of a video; null = as the protocol says")
    num_crops: Count | None = setting(None, "crops of a clip: 1 = centre, 3 = along the long side")
    average: Average | None = setting(
        None, "prob = softmax (several labels a video: sigmoid) of each view, then mean; logit = mean of logits"
    )
    short_side: Count | None = setting(
        None, "pixels; null = the protocol's, in proportion to the crop that the model was trained with"
    )
    crop_size: Count | None = setting(None, "pixels; null = as the protocol says")
    num_frames: Count | None = setting(None, "frames of a clip; null = as the model was trained, under any protocol")
    frame_stride: Count | None = setting(None, "distance of the frames; null = as the model was trained")
    device: str = setting("auto", "auto, cpu, cuda or cuda:<n>; auto = the first GPU if there is one")
    precision: EvaluationPrecision | Literal[16, 32] = setting("32", "of the model")
    batch_size: Count = setting(4, "videos that are loaded together, each of clips x crops views")
    max_views_per_forward: Count = setting(16, "views that go through the model at once")
    num_workers: Natural = setting(2, "processes that decode; 0 = the main process")
    backend: Backend = setting("auto", "decoder")
    time_limit_seconds: Positive | None = setting(
        None, "for opening a video and for each reading of it; null = 10 s, and more for a long video"
    )
    stream: bool = setting(
        False,
        "read every listed file once, from its begin to its end, and score what is said of its labelled segments over "
        "time",
    )
    stride_frames: Count = setting(4, "stream=true: frames, of those that the model sees, from answer to answer")
    target_fps: Positive | None = setting(
        None, "stream=true: frames a second that the model sees; null = those of the file / frame_stride"
    )
    tolerance_seconds: NonNegative = setting(
        0.0, "stream=true: moments nearer than that to where a segment starts or ends don't count"
    )
    label_at: LabelAt = setting(
        "end", "stream=true: what an answer is for, the end of its window, as a live stream needs it, or its centre"
    )
    recompute: bool = setting(
        False, "stream=true: run the model on the whole window at each answer, for models that can't be streamed"
    )
    events: EventSettings = EventSettings()
