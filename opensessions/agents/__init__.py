"""Coding agents: one file per agent says how it is recognised; `known` lists them, `detect` finds them."""
