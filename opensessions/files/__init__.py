"""Reading the files that agents write, in bounded pieces, and being told when they change."""
