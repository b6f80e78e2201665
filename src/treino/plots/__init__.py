"""The plots floor."""
