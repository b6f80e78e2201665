"""treino: a PyTorch training workbench."""
