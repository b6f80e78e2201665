"""Sweeps: many settings trained as few populations, the best kept and judged."""
