"""Take data from the user's PyTorch Datasets and DataLoaders."""
