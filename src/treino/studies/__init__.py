"""Settings compared side by side and timed: a study, as its folder holds it."""
