"""Where the configuration files lie."""

from stvit_video.utils.provenance import PACKAGE_DIR

_INSTALLED_CONF = PACKAGE_DIR / "conf"
CONF_DIR = str(_INSTALLED_CONF if _INSTALLED_CONF.is_dir() else PACKAGE_DIR.parent / "conf")
