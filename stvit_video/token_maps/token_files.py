"""The folder of a video's tokens: tubes, class maps, a sheet, a timeline, and a page with all of it."""

from collections.abc import Mapping
from pathlib import Path

from stvit_video.token_maps.tokens_page import write_tokens_page
from stvit_video.visualization.class_map_video import save_class_maps
from stvit_video.visualization.token_record import VideoTokens
from stvit_video.visualization.token_sheet import save_token_sheet
from stvit_video.visualization.token_timeline import save_token_timeline
from stvit_video.visualization.tube_video import save_tubes

__all__ = ["PAGE", "write_token_files"]

SHEET, TIMELINE, PAGE = "sheet.png", "timeline.png", "report.html"


def write_token_files(folder: Path, video: VideoTokens, *, made_with: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Write the files into a folder that is there.

    A dense model has no tubes, as its tokens are cells that don't move; a picture has no timeline, and PNGs in place of
    videos.

    Args:
        folder: for them; files of these names are replaced.
        video: its tokens.
        made_with: how it was made, for the page, see `tokens_page`.

    Returns:
        The names of the files, and notes on what differs from ordinary videos.

    Raises:
        MissingLibraryError: jinja2 is not installed.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    ending = ".png" if video.is_picture else ".mp4"
    names: list[str] = []
    notes: list[str] = []
    for name, save in (("tubes", save_tubes), ("class_map", save_class_maps)):
        if video.is_semantic or save is save_class_maps:
            notes += save(video, folder / f"{name}{ending}")
            names.append(f"{name}{ending}")
    save_token_sheet(video, folder / SHEET)
    pictures = {"sheet": SHEET}
    if not video.is_picture:
        save_token_timeline(video, folder / TIMELINE)
        pictures["timeline"] = TIMELINE
    read = {key: (folder / name).read_bytes() for key, name in pictures.items()}
    write_tokens_page(folder / PAGE, video, pictures=read, made_with=made_with)
    return [*names, *pictures.values(), PAGE], list(dict.fromkeys(notes))
