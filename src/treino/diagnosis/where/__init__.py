"""Where a person would edit: one reading of source, after the run, from the lines that were seen."""
