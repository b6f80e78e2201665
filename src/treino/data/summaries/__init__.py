"""Summary of a table and its problems, before anything is trained."""
