"""Reading tables: bytes, encoding, dialect, cells, each found out from the whole file or said by the user."""

from treino.data.reading.options import Reading

__all__ = ["Reading"]
