"""A receipt says exactly what was written, or nothing at all."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from opensessions.private import Corrupt
from opensessions.processes.identity import ProcId
from opensessions.processes.receipt import (
    LARGEST,
    PIDS,
    AnotherVersion,
    Place,
    Receipt,
    encode,
    faults,
    parse,
)

BOOT = "78a31c5e-d9d6-4bd2-bbc3-f0303765e386"
NONCE = "0123456789abcdef" * 2
ROOT = ProcId(4242, 1_220_238, BOOT, 4026531836, 936647)
PLACE = Place(
    "tmux", "tmux-0123456789abcdef", "/tmp/tmux-1000/default", replace(ROOT, pid=800), "$3", "%7",
    replace(ROOT, pid=900),
)  # fmt: skip
RECEIPT = Receipt(
    process=ROOT, origin="managed", agent="claude-code", agent_id="", uid=1000, group=4242, session=900, comm="claude",
    exe="/usr/local/bin/claude", argv_hash="ab" * 32, place=PLACE, instance="b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f3",
    nonce=NONCE, created=1795230503.6, cgroup=f"/sys/fs/cgroup/opensessions-{NONCE}", keep=True,
)  # fmt: skip

texts = st.text(max_size=80)  # lone surrogates among them: paths are bytes
pids = st.integers(2, PIDS - 1)
processes = st.builds(
    ProcId,
    pids,
    st.integers(1, (1 << 53) - 1),
    st.just(BOOT),
    st.just(4026531836),
    st.integers(0, (1 << 64) - 1),
)
places = st.builds(
    Place, st.sampled_from(["tmux", "zellij"]), st.just("tmux-00"), texts, processes, texts,
    st.text(min_size=1, max_size=64), processes,
)  # fmt: skip
nonces = st.text("0123456789abcdef", min_size=32, max_size=32)
receipts = st.builds(
    Receipt,
    process=processes,
    origin=st.sampled_from(["managed", "observed"]),
    agent=texts, agent_id=texts, comm=texts, exe=texts,
    uid=st.integers(0, (1 << 32) - 1),
    group=st.just(0) | pids,
    session=st.integers(0, PIDS - 1),
    argv_hash=st.sampled_from(["", "0a" * 32]),
    place=st.none() | places,
    instance=st.just("") | st.uuids().map(str),
    nonce=nonces,
    created=st.floats(0, 9e10),
    cgroup=st.just("") | nonces.map("/sys/fs/cgroup/a b/opensessions-{}".format),
    keep=st.booleans(),
)  # fmt: skip


def sealed(inner: Any, version: Any = 1) -> bytes:
    """A file with a right sum, whatever it holds."""
    body = inner if isinstance(inner, bytes) else json.dumps(inner, separators=(",", ":")).encode()
    return (
        b'{"version":%s,"sum":"%s","receipt":%s}\n'
        % (json.dumps(version).encode(), sha256(body).hexdigest().encode(), body)
    )  # fmt: skip


def inner() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode(RECEIPT))["receipt"]
    return found


def refused(data: bytes) -> str:
    with pytest.raises(Corrupt) as caught:
        parse(data)
    assert not isinstance(caught.value, AnotherVersion)
    return str(caught.value)


def test_the_helpers_of_these_tests_make_valid_files() -> None:
    assert sealed(inner()) == encode(RECEIPT)
    assert parse(sealed(inner())) == RECEIPT


@given(receipts)
def test_what_is_written_is_read(receipt: Receipt) -> None:
    assert not list(faults(receipt))
    assert parse(encode(receipt)) == receipt


def test_a_path_that_is_no_utf_8_stays_the_same_bytes() -> None:
    odd = replace(RECEIPT, exe="/opt/\udce9\udcff/claude")
    assert parse(encode(odd)).exe == odd.exe
    assert encode(odd).isascii()


@settings(max_examples=400)
@given(st.data())
def test_a_changed_file_is_no_receipt(data: st.DataObject) -> None:
    """Above all not one of another process."""
    whole = bytearray(encode(RECEIPT))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        kind = data.draw(st.sampled_from(["change", "insert", "remove", "cut", "double"]))
        if kind == "change" and at < len(whole):
            whole[at] = data.draw(st.integers(0, 255) | st.sampled_from(b'0123456789-"'))
        elif kind == "insert":
            whole[at:at] = data.draw(st.binary(min_size=1, max_size=5))
        elif kind == "remove":
            del whole[at : at + data.draw(st.integers(1, 20))]
        elif kind == "cut":
            del whole[at:]
        elif kind == "double":
            whole += whole[at:]
    try:
        found = parse(bytes(whole))
    except Corrupt:
        return
    assert found == RECEIPT
    assert bytes(whole) == encode(RECEIPT)


def test_no_changed_digit_makes_another_process() -> None:
    data = encode(RECEIPT)
    at = data.index(b"4242")
    for place in range(at, at + 4):
        for digit in b"0123456789":
            if data[place] != digit:
                refused(data[:place] + bytes([digit]) + data[place + 1 :])


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_what_is_no_receipt_raises_nothing_else(data: bytes) -> None:
    refused(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(inner())), json_values)
def test_any_value_in_any_field_is_judged_without_an_accident(field: str, value: Any) -> None:
    changed = inner() | {field: value}
    try:
        found = parse(sealed(changed))
    except Corrupt:
        return
    assert encode(found) == sealed(changed)
    assert not list(faults(found))


@pytest.mark.parametrize(
    "pid", [0, 1, -1, -4242, 1.0, 4242.0, True, False, "7", "４２", None, [], PIDS, 1 << 31, 1 << 64, 10**40],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("where", [("process",), ("place", "server"), ("place", "shell")], ids=".".join)
def test_a_dangerous_pid_is_refused(where: tuple[str, ...], pid: Any) -> None:
    changed = inner()
    process = changed
    for name in where:
        process = process[name]
    process["pid"] = pid
    refused(sealed(changed))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uid", -1), ("uid", 1 << 32), ("uid", "0"), ("group", 1), ("group", -1), ("group", PIDS), ("session", -1),
        ("session", PIDS), ("origin", "ours"), ("origin", ""), ("agent", "x" * 101), ("comm", None),
        ("exe", "/" * 5000),
        ("argv_hash", "ab"), ("argv_hash", "AB" * 32), ("nonce", ""), ("nonce", "../" * 10 + "ab"),
        ("nonce", NONCE.upper()), ("nonce", NONCE + "\n"), ("nonce", "٣" * 32), ("instance", "x"),
        ("instance", "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f"), ("instance", "b3c3dd09-a5d8-4e1a-8c3a-0b1f6ab7a0f33"),
        ("instance", "../../x"), ("created", -1.0), ("created", 1), ("created", 1e12), ("created", float("nan")),
        ("created", float("inf")), ("cgroup", "/"), ("cgroup", f"opensessions-{NONCE}"),
        ("cgroup", "/sys/fs/cgroup/user.slice"), ("cgroup", f"/sys/fs/cgroup/../opensessions-{NONCE}"),
        ("cgroup", f"/sys/fs/cgroup/opensessions-{NONCE}/.."), ("keep", 1), ("keep", None), ("keep", "true"),
        ("place", {}), ("place", []),
    ],
)  # fmt: skip
def test_an_impossible_value_is_refused(field: str, value: Any) -> None:
    refused(sealed(inner() | {field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start", 0), ("start", -5), ("start", 1.5), ("start", 1 << 53), ("boot", "x" * 65), ("boot", "a\nb"),
        ("boot", None), ("namespace", -1), ("namespace", 1 << 64), ("inode", -1), ("inode", True),
    ],
)  # fmt: skip
def test_an_impossible_identity_is_refused(field: str, value: Any) -> None:
    changed = inner()
    changed["process"][field] = value
    refused(sealed(changed))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", ""), ("kind", "../x"), ("key", ""), ("key", "a/b"), ("key", "x" * 65), ("pane", ""),
        ("pane", "%" * 65), ("session", "x" * 301), ("socket", "x" * 4097), ("server", None), ("shell", 5),
    ],
)  # fmt: skip
def test_an_impossible_place_is_refused(field: str, value: Any) -> None:
    changed = inner()
    changed["place"][field] = value
    refused(sealed(changed))


@pytest.mark.parametrize("field", ["boot", "namespace"])
def test_a_pane_of_another_machine_is_refused(field: str) -> None:
    changed = inner()
    changed["place"]["shell"][field] = 7 if field == "namespace" else "another"
    assert "two machines" in refused(sealed(changed))


def test_no_field_may_be_missing_or_unknown() -> None:
    for field in inner():
        changed = inner()
        del changed[field]
        refused(sealed(changed))
    for field in inner()["process"]:
        changed = inner()
        del changed["process"][field]
        refused(sealed(changed))
    refused(sealed(inner() | {"more": 1}))
    changed = inner()
    changed["process"]["more"] = 1
    refused(sealed(changed))


def test_a_key_twice_is_refused() -> None:
    """Two readers could take different ones of them."""
    body = encode(RECEIPT).partition(b'"receipt":')[2].removesuffix(b"}\n")
    refused(sealed(body.replace(b'{"pid":4242', b'{"pid":4242,"pid":4242', 1)))
    refused(sealed(body.replace(b'{"pid":4242', b'{"pid":1,"pid":4242', 1)))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"[]", b"1", b'{"version":1}', b'{"version":1,"sum":"","receipt":null}', b"[" * LARGEST,
        b'{"a":' * 3000, b"9" * LARGEST, encode(RECEIPT) * 2, encode(RECEIPT)[:-1], encode(RECEIPT) + b" ",
        b" " + encode(RECEIPT), encode(RECEIPT).replace(b",", b", "), encode(RECEIPT).decode().encode("utf-16"),
        b"\xef\xbb\xbf" + encode(RECEIPT), encode(RECEIPT) + b" " * LARGEST,
    ],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_odd_bytes_are_refused(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize("version", [0, -1, True, "2", 2.0, None, [2]])
def test_an_impossible_version_is_corrupt(version: Any) -> None:
    refused(sealed(inner(), version))


@pytest.mark.parametrize("more", [{}, {"a new field": 1}])
def test_a_newer_version_is_told_apart(more: dict[str, int]) -> None:
    with pytest.raises(AnotherVersion, match="another version"):
        parse(sealed(inner() | more, 2))


def test_the_largest_receipt_fits() -> None:
    long = replace(RECEIPT, agent="a" * 100, agent_id="a" * 300, comm="a" * 300, exe="/" + "a" * 4000,
                   place=replace(PLACE, socket="/" + "a" * 4000))  # fmt: skip
    assert len(encode(long)) < LARGEST
    assert parse(encode(long)) == long
