"""One module per verb, imported when it is called. Each has `add_arguments(parser)` and `run(arguments) -> status`."""
