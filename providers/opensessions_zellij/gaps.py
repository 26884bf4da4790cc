"""What zellij (0.45.1) cannot do for us. Doctor and docs/reference/zellij.md print these sentences."""

from __future__ import annotations

from opensessions.errors import Refused
from opensessions.provider import Gap, GapName

GAPS = (
    Gap(
        "messages",
        "zellij shows no message for another program: what would stand in tmux's status line stands in the log alone.",
    ),
    Gap(
        "desktop-notices",
        "zellij hands no desktop notification on to the terminal: notify.command can show one.",
    ),
    Gap(
        "even-horizontal",
        "zellij arranges panes by its own swap layouts: there is no even-horizontal for it.",
    ),
    Gap(
        "publication",
        "zellij has no options: nothing is published in its status bar, and index keys run a script.",
    ),
    Gap(
        "sidebar-width",
        "A sidebar that is opened in a tab that is there already is as near to sidebar.width as zellij's steps of 5 %"
        " of the window allow; one that comes with the layout of `opensessions zellij layout` is exact.",
    ),
    Gap(
        "sidebar-height",
        "In a tab with several panes a sidebar is as high as the pane that it is opened beside; one that comes with the"
        " layout is as high as the tab.",
    ),
    Gap(
        "clients",
        "zellij moves the client that typed last in a session: of several clients in one session no other one can be"
        " switched, nor one that has not typed since it came.",
    ),
    Gap(
        "events",
        "zellij tells of changes up to a second late; where `disable_session_metadata` is set, it is asked every two"
        " seconds while a client looks.",
    ),
    Gap(
        "crossing",
        "zellij lets nobody take a client's place: a terminal that opensessions has brought to zellij goes on to"
        " another multiplexer; for any other one you are told what to type.",
    ),
    Gap(
        "processes",
        "zellij tells no process of a pane: it is found by its environment, so it is never ended as an orphan.",
    ),
)


def refuse(name: GapName) -> Refused:
    """To be raised where a command lies in this gap wholly."""
    return Refused(next(gap.text for gap in GAPS if gap.name == name))
