"""The loss as a mountain: around a network, along its path, between two, and as a walker in fog feels it."""
