"""The settings `data` that all layouts share; those of a layout are declared by its finder in `data/layouts`."""

from typing import Annotated

from stvit_video.settings.declare import MISSING, AsTuple, Count, Counts, Natural, OpenGroup, Positive, Share, setting
from stvit_video.utils.addresses import Place
from stvit_video.utils.choices import Backend, BatchRule, Cache, Interpolation, Sampling, ShortVideo, StaticClip

Channels = Annotated[tuple[float, float, float], AsTuple]
Deviations = Annotated[tuple[Positive, Positive, Positive], AsTuple]


class ClipSettings(OpenGroup):
    """What a model is shown, and how videos are read."""

    source: str = setting(MISSING, "layout of the lists and videos on the disk; data=NAME chooses it")

    num_frames: Count = setting(16, "frames of a clip")
    frame_stride: Count = setting(4, "distance between two frames of a clip, in frames of the video")
    short_side: Count = setting(256, "pixels of the short side before cropping")
    crop_size: Count = setting(224, "pixels of a crop's side, as the model sees it")
    mean: Channels = setting((0.485, 0.456, 0.406), "of the channels, for values in 0..1; subtracted from them")
    std: Deviations = setting((0.229, 0.224, 0.225), "of the channels; they are divided by it")
    interpolation: Interpolation = setting("bilinear", "how frames are resized, always antialiased")
    sampling: Sampling = setting(
        "dense",
        "training clips: dense = num_frames at frame_stride, segments = one frame of each of num_frames equal parts of "
        "the video; then validation takes the middles of the parts, and protocol.name must be videomae_ssv2",
    )
    target_fps: Positive | None = setting(
        None,
        "frames per second that frame_stride is meant for, in training; null = frames as they come. The protocols "
        "mvit, slowfast and timesformer count at 30, the others take frames as they come",
    )
    short_video: ShortVideo = setting(
        "repeat_last", "training clips of a shorter video; error = it counts as unreadable"
    )
    frame_difference: bool = setting(False, "the change from frame to frame instead of the frames (fixed cameras)")
    static_clip: StaticClip = setting(
        "none",
        "control without motion: every frame of a clip becomes its middle frame (single_frame) or the mean of its "
        "frames (mean_frame), in training and in every test of the checkpoint",
    )

    backend: Backend = setting(
        "auto",
        "decoder: auto = pyav; isolated = PyAV in processes that may crash or hang in native code and are then "
        "replaced, for videos of strangers (reading takes half as long again)",
    )
    time_limit_seconds: Positive | None = setting(
        None,
        "for opening a video and for each reading of it; null = 10 s, and more for a long video whose frames are only "
        "reached by decoding many others",
    )
    batch_size: Count = setting(8, "clips per device: num_repeats of each of batch_size / num_repeats videos")
    num_repeats: Count = setting(1, "clips of one reading of a training video, each augmented on its own")
    multi_scale: Counts | None = setting(
        None,
        "sides in pixels, such as [160,192,224,256]: every training batch has another one of them, each equally often "
        "in an epoch, the same on all devices; null = always crop_size, as in validation",
    )
    multi_scale_batch: BatchRule = setting(
        "at_least",
        "the batch at these sizes, batch_size being that at crop_size: at_least = more clips where they are smaller "
        "(EdgeNeXt, CAS-ViT), constant_pixels = also fewer where they are larger (MobileViT)",
    )
    val_batch_size: Count | None = setting(None, "videos of a validation batch; null = batch_size")
    num_workers: Natural = setting(4, "processes that load for each loader; 0 = the main process loads")
    cache: Cache = setting("none", "memory: every listed video is decoded once and kept (small data sets)")
    cache_short_side: Count | None = setting(None, "pixels of the short side of kept videos; null = short_side")
    cache_limit_gb: Positive = setting(8, "most memory for the kept videos of each list, in 10^9 bytes")
    quarantine: Place | None = setting(None, "list that stvit_video.doctor wrote; its videos are left out of training")
    max_skipped_fraction: Share = setting(0.05, "of at least 100 videos drawn; training stops when more can't be read")
