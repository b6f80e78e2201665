"""What a script says of itself: its source, read around the places where something was seen."""
