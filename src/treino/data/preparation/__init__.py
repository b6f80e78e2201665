"""Column roles and the preparation of rows for a network, fitted on training rows, stored with the run."""
