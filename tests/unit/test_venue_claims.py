"""One engine at an account of a venue, however the address of the venue is written."""

import pytest

from support.armed import Armed
from tradecore_api.instance_lock import VenueTakenError
from tradecore_api.wiring.hosts import place_of
from tradecore_api.wiring.venue_claims import claimed


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:80",
        "http://127.0.0.1/",
        "http://127.0.0.1:80//",
        "http://localhost",
        "http://LOCALHOST:80/",
        "http://[::1]:80",
    ],
)
def test_another_way_to_write_an_address_is_no_other_venue(tmp_path, monkeypatch, url):
    """Two engines would each take the orders of the other for those of a stranger."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    ground = Armed(tmp_path)
    ground.keys(url="http://127.0.0.1:80")
    with claimed(ground.config()):
        ground.keys(url=url)
        with pytest.raises(VenueTakenError, match="another engine"), claimed(ground.config("account.name=b")):
            pass
    with claimed(ground.config()):
        pass


def test_other_places_are_others():
    """Another port, path or host, and each protocol has a port of its own."""
    places = ["http://a", "https://a", "http://a:81", "http://a/b", "http://b", "http://127.0.0.2"]
    assert len({place_of(url) for url in places}) == len(places)
    assert place_of("https://A:443/b/") == place_of("https://a/b")
