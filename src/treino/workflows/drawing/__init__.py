"""What can be drawn of a run: a file for each family of pictures, each with its own PICTURES."""

File = tuple[str, bytes]  # its name in pictures/, its content
