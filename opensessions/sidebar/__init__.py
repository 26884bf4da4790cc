"""Sidebars as data: keys and a snapshot in, bytes for a terminal out. Pure: no clock, socket or process."""
