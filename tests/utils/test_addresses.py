import pytest

from stvit_video.utils.addresses import is_address


@pytest.mark.parametrize("place", ["s3://bucket/a.tar", "https://host/a", "memory://x", "abfs+ssl://x"])
def test_addresses(place):
    assert is_address(place)


@pytest.mark.parametrize("place", ["/data/a.tar", "a/b", "C:\\videos", "x:/y", "://a", "a.tar://"[:-3], ""])
def test_local_paths(place):
    assert not is_address(place)
