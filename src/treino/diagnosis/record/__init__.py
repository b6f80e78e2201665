"""What happens while a program trains, as one log of typed events; reads no source, decides nothing."""
