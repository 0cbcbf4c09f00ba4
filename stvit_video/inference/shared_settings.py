"""Settings that all commands which use a checkpoint have in common."""

from dataclasses import replace

from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.evaluation.multiview import AVERAGES
from stvit_video.utils.command_line import Setting
from stvit_video.utils.value_kinds import PATH, TEXT, one_of, positive_number, whole

OF_PROTOCOL = "the protocol's"
CKPT_PATH = Setting(
    name="ckpt_path",
    kind=replace(PATH, example="outputs/<run>/best.ckpt"),
    help="checkpoint written by stvit_video.train, or a folder of stvit_video.export_run",
    is_needed=True,
)
PROTOCOL = Setting(
    name="protocol",
    kind=one_of(PROTOCOLS, sign="NAME"),
    help="which frames and crops, such as videoswin",
    default_words="the checkpoint's",
)
VIEWS = (
    Setting(name="num_clips", kind=whole(low=1), help="clips of a video", default_words=OF_PROTOCOL),
    Setting(name="num_crops", kind=whole(low=1), help="crops of a clip, 1 or 3", default_words=OF_PROTOCOL),
    Setting(name="average", kind=one_of(AVERAGES), help="how the views' scores combine", default_words=OF_PROTOCOL),
)
TIME_LIMIT = Setting(
    name="time_limit_seconds",
    kind=positive_number(),
    help="for opening a video and for each reading of it",
    default_words="10, and more for a long video",
)
DEVICE = Setting(name="device", kind=TEXT, help="auto, cpu, cuda, cuda:1 ...", default="auto")
