"""Where a new session may begin: folders are found, ranked by what is typed, and shown to choose from."""
