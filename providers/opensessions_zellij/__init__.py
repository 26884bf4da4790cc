"""The zellij provider. Importing it costs nothing: hot scripts pass through here."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensessions.provider import Context, Provider


def open_provider(target: str, binary: str, context: "Context") -> "Provider":
    """Open the zellij sessions whose sockets are in the folder `target`. Starts nothing and does not block. See
    `OpenProvider`."""
    from opensessions_zellij.provider import ZellijProvider

    return ZellijProvider(target, binary, context)
