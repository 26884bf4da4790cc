"""What is taken over of a configuration, and what is not."""

from __future__ import annotations

import pytest

from opensessions.context.settings import read, stand_in


def test_a_listing_is_read() -> None:
    listing = b"core.bare\nfalse\0core.editor\nvi\nx\0core.filemode\0core.bare\ntrue\0\0"
    assert read(listing) == {"core.bare": "true", "core.editor": "vi\nx", "core.filemode": "true"}


def test_only_what_compares_files_is_taken_over() -> None:
    said = stand_in(
        {"core.excludesfile": '~/my "ignore"', "core.autocrlf": "input", "filter.lfs.clean": "git-lfs clean"},
        {
            "core.autocrlf": "TRUE", "core.filemode": "0", "core.eol": "$(id)", "core.fsmonitor": "/evil",
            "core.hookspath": "x",
            "core.excludesfile": "/dev/zero", "filter.x.clean": "/evil", "include.path": "/evil",
            "core.sshcommand": "/evil",
            "remote.origin.promisor": "true", "extensions.partialclone": "origin", "extensions.objectformat": "sha256",
        },
        "/home/u",
    )  # fmt: skip
    assert said is not None
    lines = [line.strip() for line in said.splitlines() if line.startswith("\t")]
    assert lines == [
        "repositoryformatversion = 1", "bare = false", "fsmonitor = false", "autocrlf = true", "filemode = false",
        'excludesfile = "/home/u/my \\"ignore\\""', "objectformat = sha256",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "extensions", [{"extensions.fancy": "true"}, {"extensions.objectformat": "md5\n[x]"}]
)
def test_a_repository_of_another_kind_is_not_understood(extensions: dict[str, str]) -> None:
    assert stand_in({}, extensions, "/home/u") is None
