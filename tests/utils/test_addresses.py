import pytest

from stvit_video.utils.addresses import is_address, is_like_address, shown_address, shown_path


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
        ("rtsp://user:s@cret/secret@host/live", "rtsp://host/live"),
        ("rtsp://user:s@cret?secret@host/live", "rtsp://..."),
        ("/data/user:secret@a.ts", "/data/user:secret@a.ts"),
    ],
)
def test_shown_without_secrets(address, shown):
    assert shown_address(address) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("rtsp:/user:secret@host/live", "rtsp:/...@host/live"),
        ("rtsp:///user:sec/ret@host/live?secret", "rtsp://host/live?..."),
        ("rtsp//user:secret@host/live?secret", "...@host/live?..."),
        (" rtsp://user:secret@host/live", "...@host/live"),
        ("user:sec@ret@host", "...@host"),
        ("://user:secret@host/a#secret", "://...@host/a"),
        ("a b://host/live?secret", "a b://host/live?..."),
    ],
)
def test_mistyped_addresses_are_shown_without_secrets(path, shown):
    assert is_like_address(path)
    assert shown_path(path) == shown


@pytest.mark.parametrize(
    "path", ["/data/a:b.mp4", "a@b.mp4", "C:\\a.mp4", "C:/a/b.mp4", "clips/12:30@noon.mp4", "clips//a@b.mp4"]
)
def test_paths_are_no_addresses(path):
    assert not is_like_address(path)
    assert shown_path(path) == path
