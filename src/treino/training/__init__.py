"""Training of one network: from settings and data to a sealed folder, resumed, branched and replayed."""
