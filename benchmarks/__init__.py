"""Every promise of speed, measured: `python -m benchmarks`."""
