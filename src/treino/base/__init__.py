"""What every wing stands on: errors, words, the console, and files on disk."""
