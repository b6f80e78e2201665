"""The inspection floor."""
