"""The endings of video files: what a folder of videos is searched for, and in what words others are told.

A list of videos may name files of any ending; the decoder looks at what is in a file and not at its name.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

# The endings that the demuxers of PyAV's ffmpeg state for videos, and those that cameras, discs and older programs give
# to the same containers (tests/data/manifests/test_video_endings.py compares them with the installed PyAV). Left out:
# sound, pictures, subtitles, lists of other files, raw pixels without a size, and endings that other kinds of files
# have as well, such as .dat and .bin. USUAL ones come first where several files have the same name but for the ending.
VIDEO_EXTENSIONS = (
    # MP4, QuickTime
    *(".3g2", ".3gp", ".3gp2", ".3gpp", ".f4p", ".f4v", ".insv", ".ismv", ".m4v", ".mj2", ".mjp2"),
    *(".mov", ".mp4", ".mp4v", ".mpg4", ".psp", ".qt", ".360"),
    # Matroska, Ogg
    *(".mk3d", ".mkv", ".ogm", ".ogv", ".ogx", ".webm"),
    # MPEG streams and discs
    *(".dvr-ms", ".evo", ".m1v", ".m2p", ".m2t", ".m2ts", ".m2v", ".mod", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts"),
    *(".mxf", ".gxf", ".pva", ".tod", ".tp", ".trp", ".ts", ".ty", ".ty+", ".vob", ".vro", ".wtv"),
    # AVI, DV, Windows Media, Flash, RealMedia
    *(".amv", ".asf", ".avi", ".dif", ".divx", ".dv", ".flv", ".kux", ".rm", ".rmvb", ".swf", ".wmv", ".xvid"),
    # bare streams
    *(".264", ".265", ".266", ".apv", ".avc", ".avs2", ".avs3", ".cavs", ".dnxhd", ".dnxhr", ".drc", ".evc", ".h261"),
    *(".h263", ".h264", ".h265", ".h266", ".h26l", ".hevc", ".ivf", ".mjpeg", ".mjpg", ".obu", ".rcv", ".vc1", ".vc2"),
    *(".vvc", ".y4m"),
    # recorders, games, other programs
    *(".apng", ".bik", ".bk2", ".bmv", ".cdxl", ".cpk", ".dav", ".flc", ".fli", ".flm", ".gif", ".ifv", ".imx", ".ipu"),
    *(".ivr", ".lvf", ".mods", ".moflex", ".mvi", ".mxg", ".nsv", ".nut", ".nuv", ".pdv", ".roq", ".ser", ".sga"),
    *(".smk", ".thp", ".usm", ".viv", ".xmv", ".yop"),
)
USUAL = (".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv")
_KNOWN = frozenset(VIDEO_EXTENSIONS)
_OGG_VIDEO = (b"\x80theora", b"BBCD\0", b"OVP80")  # how a stream of pictures begins: Theora, Dirac, VP8
_OGG_BYTES = 4096
NUM_SHOWN = 8


def is_video_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a video by its ending, in capitals or not; an .ogg, mostly sound, by its first bytes."""
    ending = Path(path).suffix.lower()
    if ending != ".ogg":
        return ending in _KNOWN
    try:
        with open(path, "rb") as file:
            start = file.read(_OGG_BYTES)
    except OSError:
        return False
    return start.startswith(b"OggS") and any(mark in start for mark in _OGG_VIDEO)


def describe_endings(names: Iterable[str]) -> str:
    """How many names have which ending, the most frequent first, such as "12 end with .xyz, 1 has no ending"."""
    counts = Counter(Path(name).suffix for name in names).most_common()
    told = [
        f"{count} {'end' if count > 1 else 'ends'} with {ending}"
        if ending
        else f"{count} {'have' if count > 1 else 'has'} no ending"
        for ending, count in counts[:NUM_SHOWN]
    ]
    rest = sum(count for _, count in counts[NUM_SHOWN:])
    return ", ".join([*told, *([f"{rest} with others"] if rest else [])])
