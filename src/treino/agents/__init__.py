"""Tools for agents by the Model Context Protocol: what they may touch, how each is a command, the server."""
