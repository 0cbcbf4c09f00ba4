"""A file that a caller names, as models take the videos of lists. Nothing here needs torch."""

import os

from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.manifests.picture_endings import is_picture_file
from stvit_video.utils.written_paths import on_disk


def file_record(path: str | os.PathLike[str], *, num_frames: int) -> VideoRecord:
    """The record of one file in the form that its name has on disk; its label means nothing.

    Args:
        path: of a video, or of a picture.
        num_frames: of the model's clips; 1 = a model of pictures, which takes both.
    """
    file = on_disk(path)
    is_picture = num_frames == 1 and is_picture_file(file.name)
    return VideoRecord(path=file, label=0, video_id=str(file), is_picture=is_picture)
