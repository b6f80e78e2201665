"""Loss landscapes: around a network, along its training path, between two networks."""
