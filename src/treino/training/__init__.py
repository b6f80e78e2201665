"""Training of one network: resolved settings, the run's folder, resuming, branching, replaying."""
