import pytest

from stvit_video.utils.addresses import is_address, shown_address


@pytest.mark.parametrize("place", ["s3://bucket/a.tar", "https://host/a", "memory://x", "abfs+ssl://x"])
def test_addresses(place):
    assert is_address(place)


@pytest.mark.parametrize("place", ["/data/a.tar", "a/b", "C:\\videos", "x:/y", "://a", "a.tar://"[:-3], ""])
def test_local_paths(place):
    assert not is_address(place)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://host:554/live/1", "rtsp://host:554/live/1"),
        ("rtsp://user:secret@host:554/live", "rtsp://host:554/live"),
        ("rtsp://secret@host", "rtsp://host"),
        ("rtsp://user:sec@ret@host/live", "rtsp://host/live"),
        ("rtsp://user:sec/ret@host/live", "rtsp://host/live"),
        ("rtsp://user:sec?ret@host/live", "rtsp://host/live"),
        ("rtsp://user:12/secret@host/live", "rtsp://host/live"),
        ("http://host/a.ts?token=secret", "http://host/a.ts?..."),
        ("http://host:80/a.ts?mail=secret@b", "http://host:80/a.ts?..."),
        ("http://host/a.ts#secret", "http://host/a.ts"),
        ("http://host/@name/a.ts", "http://host/@name/a.ts"),
        ("http://[::1]:80/a.ts?k=secret", "http://[::1]:80/a.ts?..."),
        ("http://user:secret@[::1]/a.ts?k=secret", "http://[::1]/a.ts?..."),
        ("/data/user:secret@a.ts", "/data/user:secret@a.ts"),
    ],
)
def test_shown_without_secrets(address, shown):
    assert shown_address(address) == shown
