"""What a file that ffmpeg can't open is, by its first bytes, and what to do about it.

The function is pure: it sees bytes, never a file.
"""

import re

__all__ = ["START_BYTES", "not_a_video", "text_kind"]

START_BYTES = 4096  # of a file that are looked at
POINTER = b"version https://git-lfs.github.com/spec/"
# How a file begins that names other files. Only to word the error, the refusal does not depend on it.
PLAYLIST_STARTS = (b"#EXTM3U", b"ffconcat version", b"v=0", b"<MPD", b"[playlist]", b"<asx", b"<ASX")
PLAYLIST = "it is a playlist that points to other places, which are not read; give the video itself"
NOT_FETCHED = "fetch the video again, and look at what the address answers"
# (what the file is, how it begins, where that stands)
KINDS = (
    ("a .zip archive", b"PK\3\4", 0),
    ("a .zip archive without a file in it", b"PK\5\6", 0),
    ("a file packed by gzip (.gz, .tar.gz)", b"\x1f\x8b", 0),
    ("a file packed by bzip2 (.bz2)", b"BZh", 0),
    ("a file packed by xz (.xz)", b"\xfd7zXZ\0", 0),
    ("a file packed by zstd (.zst)", b"\x28\xb5\x2f\xfd", 0),
    ("a .rar archive", b"Rar!\x1a\x07", 0),
    ("a .7z archive", b"7z\xbc\xaf\x27\x1c", 0),
    ("a .tar archive", b"ustar", 257),
)
OTHERS = (
    ("a PDF document", b"%PDF-", 0),
    ("an HDF5 file", b"\x89HDF\r\n\x1a\n", 0),
    ("a NumPy array", b"\x93NUMPY", 0),
    ("an SQLite database", b"SQLite format 3\0", 0),
    ("a program for Linux", b"\x7fELF", 0),
    ("a JPEG picture", b"\xff\xd8\xff", 0),
    ("a PNG picture", b"\x89PNG\r\n\x1a\n", 0),
    ("a WebP picture", b"WEBP", 8),
    ("a TIFF picture", b"II*\0", 0),
    ("a TIFF picture", b"MM\0*", 0),
)
MP4_BOXES = (b"ftyp", b"mdat", b"free", b"skip", b"wide", b"moov", b"pnot", b"styp")
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # byte-order marks
REASONS = (  # where an error page says what is wrong
    re.compile(r"<(?:code|title)[^>]*>([^<]{1,80})<", re.IGNORECASE),
    re.compile(r'"(?:error|message|detail|code)"\s*:\s*"([^"]{1,80})"'),
)


def not_a_video(start: bytes, num_bytes: int) -> str:
    """What the file is and what to do, for the end of an error; "" where its first bytes tell nothing.

    Args:
        start: the first START_BYTES of the file, or all of it.
        num_bytes: size of the whole file.
    """
    if not start.strip(b"\0"):
        return f"its first {len(start)} bytes are all 0, so its download was never finished; fetch it again"
    if start[4:8] in MP4_BOXES:
        return (
            "it is an MP4 file whose index (moov) is missing or damaged, so its recording or download was cut off; "
            "fetch it again, or copy it anew with the program that recorded it"
        )
    for kinds, remedy in ((KINDS, "unpack it and give the video itself"), (OTHERS, "give the video itself")):
        for name, signature, place in kinds:
            if start.startswith(signature, place):
                return f"it is {name}, not a video; {remedy}"
    return text_kind(start, num_bytes)


def text_kind(start: bytes, num_bytes: int) -> str:
    """`not_a_video` of texts alone, which ffmpeg takes for subtitles now and then; "" = it is no text."""
    text = _text(start)
    return "" if text is None else _written(text, num_bytes)


def _written(text: str, num_bytes: int) -> str:
    """Of a text: what it is."""
    body = text.lstrip("\ufeff \t\r\n\0")
    lower = body[:START_BYTES].lower()
    if body.encode().startswith(POINTER):
        return "it is a Git LFS pointer, not the video itself; run git lfs pull in its repository to get the video"
    is_web_page = lower.startswith(("<!doctype html", "<html", "<head", "<body")) or "<html" in lower[:2000]
    if is_web_page:
        return f"it is a web page (HTML{_quoted(body)}) saved under the name of a video; {NOT_FETCHED}"
    if body.encode().startswith(PLAYLIST_STARTS) or "<mpd" in lower[:2000]:
        return PLAYLIST
    if lower.startswith(("<?xml", "<error")):
        return f"it is an XML text{_quoted(body)}, as a store answers where it has no video to give; {NOT_FETCHED}"
    if lower.startswith(("{", "[")):
        return f"it is a JSON text{_quoted(body)}, as a server answers where it has no video to give; {NOT_FETCHED}"
    first = " ".join(body[:60].split())
    return f"it is not a video that ffmpeg can open but a text ({num_bytes} bytes) that begins with {first!r}"


def _quoted(body: str) -> str:
    """What an error page says of itself, to go behind its name."""
    found = next((match for reason in REASONS if (match := reason.search(body[:START_BYTES]))), None)
    words = " ".join(found.group(1).split()) if found else ""
    return f", {words!r}" if words else ""


def _text(start: bytes) -> str | None:
    """The bytes as text; None = they are none."""
    if start.startswith(b"\x1f\x8b"):
        return None
    encoding = next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")
    text = start.decode(encoding, errors="replace")
    odd = sum(not (letter.isprintable() or letter in "\t\r\n\ufeff") for letter in text)
    wrong = text[:-4].count("\ufffd")  # a letter may be cut at the end
    return text if odd + wrong <= len(text) // 50 else None
