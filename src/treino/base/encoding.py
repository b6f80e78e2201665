"""Encoding of values as bytes: JSON without NaN, and tensors as safetensors.

A document that contains sentences has an additional key ``sentences``: for each sentence the path to its text
in the document, and its source (see ``words.Sentence``). Reading rebuilds the text from the
source, in the reader's language. If the source is invalid or its sentence unknown, the stored text stays.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treino.base.errors import TreinoError
from treino.base.files import damaged, digest
from treino.base.words import Sentence, _, capitalised, joined, known_sentences, numeral

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


# ---- sentences in stored JSON

KEY = "sentences"
DEEPEST = 16  # levels of nested sources
LONGEST = 20_000  # characters of a text
SEPARATOR = 4  # characters between parts
FORMATS = re.compile(r"\+?,?(\.\d{1,2})?[defg%]?")


def with_sources(value: Any) -> Any:
    """The JSON value; an object that contains sentences gets the additional key with their sources."""
    if not isinstance(value, Mapping):
        return value
    sources = [{"place": place, "source": source} for place, source in _sources(value, [])]
    return {**value, KEY: sources} if sources else value


def _sources(value: Any, place: list[str | int]) -> Iterator[tuple[list[str | int], Any]]:
    if isinstance(value, Sentence):
        if value.source is not None:
            yield place, value.source
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        if isinstance(item, Sentence | Mapping | list | tuple):
            yield from _sources(item, [*place, key])


def without_sources(value: Any) -> Any:
    """Undo ``with_sources`` in place and return the value, with its sentences in the reader's language."""
    stored = value.pop(KEY, None) if isinstance(value, dict) else None
    for entry in stored if isinstance(stored, list) else ():
        try:
            *way, last = entry["place"]
            inner = value
            for key in way:
                inner = inner[key]
            if isinstance(inner[last], str):
                inner[last] = _made(entry["source"], DEEPEST)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue
    return value


def _made(source: Any, levels: int) -> Any:
    """The text of a source in the reader's language; a nested source may also be a number.

    Raises:
        ArithmeticError, AttributeError, LookupError, TypeError, ValueError: the source is invalid.
    """
    made = source if isinstance(source, str | int | float) else _source_text(source, levels)
    if levels == 0 or (isinstance(made, str) and len(made) > LONGEST):
        raise ValueError(source)
    return made


def _source_text(source: Any, levels: int) -> Any:
    match source:
        case {"sentence": str(text), "values": dict(values)} if text in known_sentences():
            return _(text).format(**{name: _made(each, levels - 1) for name, each in values.items()})
        case {"sentence": str(text), **others} if text in known_sentences() and not others:
            return _(text)
        case {"number": number, "format": str(spec)} if FORMATS.fullmatch(spec):
            return numeral(_made(number, levels - 1), spec)
        case {"float": "nan" | "inf" | "-inf" as text}:
            return float(text)
        case {"capitalised": text}:
            return capitalised(_part(text, levels))
        case {"parts": list(parts), "between": str(between)} if len(between) <= SEPARATOR:
            return joined([_part(part, levels) for part in parts], between)
    raise ValueError(source)


def _part(source: Any, levels: int) -> str:
    made = _made(source, levels - 1)
    return made if isinstance(made, str) else str(made)


# ---- encoding of values as bytes

_NON_FINITE = "$float"


def json_bytes(value: Any) -> bytes:
    """UTF-8 JSON, the same bytes for the same value: all bits of floats; NaN and infinities as null.

    Sentences are stored with their sources (see `base/encoding.py`).

    Accepts JSON types, tuples, and arrays, tensors and their scalars. TypeError for anything else.
    """
    return _text(with_sources(value))


def compact_json(value: Any) -> bytes:
    """UTF-8 JSON in one line without spaces, for sending: NaN and infinities become null.

    Accepts the types of `json_bytes`; sentences are sent as plain text.
    """
    separators = ",", ":"
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=separators)
    except (ValueError, TypeError):
        plain = _plain(value, lambda number: None)
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=separators)
    return text.encode("utf-8", "backslashreplace")


def _text(value: Any) -> bytes:
    text = json.dumps(_plain(value, lambda number: None), ensure_ascii=False, allow_nan=False, indent=1)
    # a lone surrogate (in an undecodable file name) has no UTF-8; its JSON escape reads back as the same text
    return (text + "\n").encode("utf-8", "backslashreplace")


def json_value(data: bytes, path: Path) -> Any:
    """Decode the bytes of `json_bytes`. Raises TreinoError naming `path` if they aren't JSON."""
    return without_sources(_value(data, path))


def _value(data: bytes, path: Path) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(path, _("it is not valid JSON ({error})").format(error=error)) from error


def signed(content: Mapping[str, Any]) -> bytes:
    """JSON that ends with an entry ``sha256`` of the same JSON without this entry."""
    return _signed(with_sources(content))


def _signed(content: Mapping[str, Any]) -> bytes:
    return _text({**content, "sha256": digest(_text(content))})


def signed_value(data: bytes, path: Path) -> dict[str, Any]:
    """Decode the bytes of `signed`. Raises TreinoError naming `path` if a bit differs."""
    content = _value(data, path)
    if not isinstance(content, dict) or content.pop("sha256", None) is None or _signed(content) != data:
        raise damaged(path, _("its content does not match its own SHA-256"))
    value: dict[str, Any] = without_sources(content)
    return value


def tensor_bytes(tensors: Mapping[str, "Tensor"], metadata: Mapping[str, Any]) -> bytes:
    """A safetensors file: `tensors` under their names, and `metadata` in its header.

    metadata: types of `json_bytes`; non-finite floats are kept. The header (format:
    https://huggingface.co/docs/safetensors) holds it as one entry, since the order of several is not stable.
    """
    from safetensors.torch import save
    from torch import contiguous_format

    # views that share storage or aren't contiguous must be copied
    copies = {
        name: tensor.detach().cpu().clone(memory_format=contiguous_format) for name, tensor in tensors.items()
    }
    return save(copies, {"treino": _metadata_text(metadata)})


def array_parts(
    arrays: Mapping[str, "NDArray[Any]"], metadata: Mapping[str, Any]
) -> "list[bytes | NDArray[Any]]":
    """A safetensors file of numeric arrays, as parts to be written one after the other.

    Built without the library: fifty times faster, and without copying the numbers.
    """
    header: dict[str, Any] = {"__metadata__": {"treino": _metadata_text(metadata)}}
    parts: list[bytes | NDArray[Any]] = []
    end = 0
    # the widest types first, so that every array is aligned
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        if array.size:
            parts.append(array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view("u1"))
        place = [end, end := end + array.nbytes]
        kind = "BOOL" if array.dtype.kind == "b" else f"{array.dtype.kind.upper()}{8 * array.itemsize}"
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": place}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little") + text, *parts]


def tensor_value(data: bytes, path: Path) -> tuple[dict[str, "Tensor"], dict[str, Any]]:
    """Decode the bytes of `tensor_bytes`. Return tensors (copies with torch's alignment) and metadata."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    metadata = tensor_metadata(data, path)
    try:
        # views of the file's bytes aren't aligned
        return {name: tensor.clone() for name, tensor in load(data).items()}, metadata
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _no_tensors(path, error) from error


def tensor_metadata(data: bytes, path: Path) -> dict[str, Any]:
    """Return the metadata in the bytes of `tensor_bytes`, without importing torch."""
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        metadata = json.loads(header["__metadata__"]["treino"], object_hook=_floats)
        if not isinstance(metadata, dict):
            raise TypeError("metadata")
        result: dict[str, Any] = without_sources(metadata)
        return result
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_tensors(path, error) from error


def _no_tensors(path: Path, error: Exception) -> TreinoError:
    return damaged(path, _("it is not a valid safetensors file ({error})").format(error=error))


def _plain(value: Any, non_finite: Callable[[float], Any]) -> Any:
    """`value` in JSON types; `non_finite` replaces NaN and infinities."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else non_finite(value)
    if isinstance(value, Mapping):
        return {key: _plain(item, non_finite) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, non_finite) for item in value]
    if hasattr(value, "tolist"):  # arrays, tensors and their scalars, without importing either library
        return _plain(value.tolist(), non_finite)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _metadata_text(metadata: Mapping[str, Any]) -> str:
    # a state must be restored exactly (its best loss is infinite at first), so infinity can't become null
    value = _plain(with_sources(metadata), lambda number: {_NON_FINITE: repr(number)})
    return json.dumps(value, allow_nan=False)


def _floats(item: dict[str, Any]) -> Any:
    return float(item[_NON_FINITE]) if item.keys() == {_NON_FINITE} else item
