"""The loop of every training: events, checkpoints, Ctrl-C."""
