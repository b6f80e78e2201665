"""Studies: the same network at several batch sizes, timed, epoch by epoch."""
