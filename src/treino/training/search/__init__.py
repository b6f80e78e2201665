"""Search: samplers of settings, successive halving, and the judgement of the best. Trains nothing."""
