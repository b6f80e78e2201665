"""Present the findings as text, JSON and patches, and prove a fix."""
