"""Find the line to edit: reads source after the run, starting from the recorded lines."""
