"""Built-in data sets, and where their files come from."""
