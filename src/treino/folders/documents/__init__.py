"""The JSON documents in the folder of a run, sweep or study, with the type and range of every value.

Every document is read and checked through ``reading.py``: a SHA-256 shows that a file is intact, but not who
wrote it.
"""
