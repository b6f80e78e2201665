"""Many networks in one folder: sweeps, which search and judge the best; studies, which compare settings."""
