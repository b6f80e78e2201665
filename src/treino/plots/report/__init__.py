"""A report's sections out of a run's, several runs' or a sweep's facts, and the two ways to write it."""
