"""The tmux provider. Importing it costs nothing: hot scripts pass through here."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensessions.provider import Context, Provider


def open_provider(target: str, binary: str, context: "Context") -> "Provider":
    """Open the tmux server at the socket `target`. Starts nothing and does not block. See `OpenProvider`."""
    from opensessions_tmux.provider import TmuxProvider

    return TmuxProvider(target, binary, context)
