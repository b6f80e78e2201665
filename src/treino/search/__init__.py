"""Search: what settings to try, who goes on, and what the best of many is worth. It trains nothing."""
