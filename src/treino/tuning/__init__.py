"""Many networks in one folder: sweeps, whose best is kept and judged; studies, whose settings take turns."""
