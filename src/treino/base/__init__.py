"""What all other packages use: errors, translated words, the console, and files on disk."""
