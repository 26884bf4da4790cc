"""opensessions: a sidebar of terminal sessions with the true state of every coding agent."""

__version__ = "0.1.0"
