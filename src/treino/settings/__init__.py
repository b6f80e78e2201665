"""The settings of a training: one table, from which flags, JSON, defaults and docs come."""
