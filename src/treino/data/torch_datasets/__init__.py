"""PyTorch Datasets and DataLoaders of the user's own as data."""
