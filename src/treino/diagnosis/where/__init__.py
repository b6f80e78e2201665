"""Find the line that a person would edit: reads source after the run, from the lines that were seen."""
