"""Studies: settings compared side by side and timed, and their folders."""
