"""The trials of anybody's search of settings: files of other tools, and how much of the best is luck."""
