"""Data from the user's PyTorch Datasets and DataLoaders."""
