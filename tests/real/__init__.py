"""Real agents, driven and watched, and recordings of that.

`agents` says how each program is driven, `llm` is the model that answers as told, `lab` puts them into a world with a
tmux and a server, `scenarios` leads them through what can happen, `truth` holds what was shown to what was true.
`recorder` writes a run down, `replay` plays it to the tracker without any agent, `matrix` makes the table in
docs/reference/agents.md.

    tests/real/install                                    the programs, from npm, into a cache
    python -m pytest -m real tests/real                   every agent, every scenario
    python -m tests.real.matrix --agents claude           the table, and what was wrong
    python -m tests.real.matrix --hooks none --record     and the recordings
    python -m tests.real.replay tests/recordings/*/*.gz   what would be shown
"""
