"""Who may come in by the TCP port."""

from __future__ import annotations

import pytest

from opensessions.server.http import Fault
from opensessions.server.tcp import door

TOKEN = "5f" * 32
OPEN = door(TOKEN, {"[::1]:7340", "localhost:7340"})
RIGHT = {"host": ["[::1]:7340"], "authorization": [f"Bearer {TOKEN}"]}


@pytest.mark.parametrize(
    "change",
    [
        {}, {"host": ["localhost:7340"]}, {"host": ["LocalHost:7340"]}, {"authorization": [f"bearer  {TOKEN} "]},
    ],
)  # fmt: skip
def test_who_comes_in(change: dict[str, list[str]]) -> None:
    OPEN({**RIGHT, **change})


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"host": ["::1:7340"]}, 421), ({"host": []}, 421), ({"host": ["localhost"]}, 421), ({"host": [""]}, 421),
        ({"host": ["evil.example:7340"]}, 421), ({"host": ["localhost:7340.evil.example"]}, 421),
        ({"origin": ["null"]}, 403), ({"origin": [""]}, 403), ({"origin": ["http://[::1]:7340"]}, 403),
        ({"authorization": []}, 401), ({"authorization": [TOKEN]}, 401), ({"authorization": ["Bearer"]}, 401),
        ({"authorization": [f"Bearer {TOKEN}", f"Bearer {TOKEN}"]}, 401),
        ({"authorization": ["Bearer \x00\xff"]}, 401), ({"authorization": [f"Bearer {TOKEN.upper()}"]}, 401),
    ],
)  # fmt: skip
def test_who_does_not(change: dict[str, list[str]], status: int) -> None:
    with pytest.raises(Fault) as caught:
        OPEN({**RIGHT, **change})
    assert caught.value.status == status
