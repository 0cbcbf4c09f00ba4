"""Where the configuration files lie, and which settings are paths."""

from stvit_video.utils.provenance import PACKAGE_DIR

_INSTALLED_CONF = PACKAGE_DIR / "conf"
CONF_DIR = str(_INSTALLED_CONF if _INSTALLED_CONF.is_dir() else PACKAGE_DIR.parent / "conf")
# paths of the `data` settings, apart from root
PATHS = (
    *("train", "val", "train_videos", "val_videos", "videos", "lists", "quarantine"),
    *("shards", "val_shards", "classes"),
)
