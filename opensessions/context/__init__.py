"""Where a session works: its repository, its branch, whether anything is not committed, which ports it listens on."""
