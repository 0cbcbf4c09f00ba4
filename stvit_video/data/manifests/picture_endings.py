"""The endings of picture files: what a folder of pictures is searched for."""

IMAGE_EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def is_picture_file(name: str) -> bool:
    """Whether the extension is that of a picture."""
    return name.lower().endswith(IMAGE_EXTENSIONS)
