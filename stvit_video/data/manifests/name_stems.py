"""The recording that a video is a piece of, as far as its file name tells."""

import re

from stvit_video.utils.label_text import normal_label

KINETICS_NAME = re.compile(r"(?P<source>.+)_\d{6}_\d{6}")  # YouTube id, first and last second
_COPY = re.compile(r"(?:[ _.-]+|^)(?:copy|copie|kopie)[ _.-]*(?:\(?\d{1,3}\)?)?$")
_NUMBERED = re.compile(r"[ _.-]*\(\d{1,3}\)$")
_PIECE = re.compile(r"[ _.-]+(?:(?:c|clip|p|pt|part|s|seg|segment|scene|shot|take|chunk)[ _.-]?)?(?:\d{1,4}|[a-z])$")


def source_stem(file_name: str, *, class_name: str = "") -> str:
    """The name of a recording, equal for the videos that are pieces of it.

    From the end of the name, in lower case and without the ending of the file, is taken away, each once:

    1. "copy" with or without a number: `fall - Copy`, `fall_copy2` -> `fall`;
    2. the seconds of Kinetics: `dQw4w9WgXcQ_000010_000020` -> `dqw4w9wgxcq`;
    3. a number in brackets: `cam2 (1)` -> `cam2`;
    4. a number of at most four digits or a single letter, behind a separator and perhaps a word such as clip, part,
       seg, scene or c: `fi001_a` -> `fi001`, `v_Archery_g01_c02` -> `v_archery_g01`, `match3 part 2` -> `match3`.

    Steps 3 and 4 happen only where a digit is left in the name besides the class's own name. Without one the number
    is that of the recording: `cat_001` and `cat (2)` stay as they are, `walk2_07` of the class `walk2` too.

    Args:
        file_name: without folders.
        class_name: of the video.
    """
    whole = normal_label(file_name.rpartition(".")[0] or file_name).lower().strip()
    stem = _COPY.sub("", whole) or whole
    if found := KINETICS_NAME.fullmatch(stem):
        return found["source"]
    for pattern in (_NUMBERED, _PIECE):
        rest = pattern.sub("", stem)
        if re.search(r"\d", rest.replace(normal_label(class_name).lower(), "") if class_name else rest):
            stem = rest
    return stem
