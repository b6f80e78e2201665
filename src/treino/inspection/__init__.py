"""Numbers worth looking at, computed from a network and arrays; plots draw them."""
