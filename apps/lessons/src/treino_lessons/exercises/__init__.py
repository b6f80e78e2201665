"""The exercises of the lessons, and the door to them."""
