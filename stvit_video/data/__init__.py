"""Videos as they lie on disks: lists, decoding, clips, batches."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stvit_video.data.decoding.request import DecodeError
    from stvit_video.data.decoding.video import open_video
    from stvit_video.data.manifests.manifest import Manifest

__all__ = ["DecodeError", "Manifest", "open_video"]
_PLACES = {
    "DecodeError": "stvit_video.data.decoding.request",
    "Manifest": "stvit_video.data.manifests.manifest",
    "open_video": "stvit_video.data.decoding.video",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
