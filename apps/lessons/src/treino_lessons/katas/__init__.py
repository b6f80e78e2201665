"""The katas, and the door to them."""
