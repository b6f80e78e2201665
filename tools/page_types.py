"""Writes the types of the studio's messages for the pages' scripts: ``python -m tools.page_types``.

They come from the models in ``protocol.py`` and ``page_messages.py``, from the settings, and from the
operations of columns' programs. It needs what ``npm ci`` installs.
"""

import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from treino.data.column_program import ColumnProgram
from treino.settings import Settings
from treino_studio import protocol
from treino_studio.page_messages import RunMessages

ROOT = Path(__file__).parent.parent
TYPES = ROOT / "apps/studio/src/treino_studio/page/protocol.d.ts"
HEAD = "// Messages, settings and columns' programs, as tools/page_types.py writes them from the models."
LISTS = ("anyOf", "oneOf")
KEPT = ("type", "enum", "const", "properties", "required", "items", "$ref", "additionalProperties", *LISTS)


def schema() -> str:
    """A JSON schema of the messages, of the commands of each kind of page, of the settings, and of a column's
    program."""
    models = [TypeAdapter(model) for model in (protocol.Acknowledgement, RunMessages, Settings)]
    schemas = [model.json_schema() for model in models]
    program = TypeAdapter(ColumnProgram).json_schema()
    for each in (program, *program["$defs"].values()):  # a stored one has every field, and no other
        each |= {"required": [*each["properties"]], "additionalProperties": False}
    schemas.append(program)
    kinds = {kind: reader.adapter.json_schema() for kind, reader in protocol.KINDS.items()}
    commands = {"type": "object", "title": "Commands", "properties": kinds, "required": sorted(kinds)}
    types: dict[str, Any] = {}
    for each in [*schemas, *kinds.values(), commands]:
        types |= each.pop("$defs", {})
    types |= {each["title"]: each for each in [*schemas, commands]}
    plain = {name: _plain(type_) for name, type_ in sorted(types.items())}
    return json.dumps({"$defs": plain}, sort_keys=True, ensure_ascii=False)


def source_hash() -> str:
    """The hash of all that the types say."""
    return sha256(schema().encode()).hexdigest()


def _plain(schema: Any) -> Any:
    """A schema without texts, defaults and limits, which are no types in TypeScript."""
    if not isinstance(schema, dict):
        return schema
    kept = {key: schema[key] for key in KEPT if key in schema}
    if "properties" in kept:
        kept.setdefault("additionalProperties", False)
        kept["properties"] = {name: _plain(each) for name, each in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        kept |= {key: _plain(kept[key])} if key in kept else {}
    for key in LISTS:
        kept |= {key: [_plain(each) for each in kept[key]]} if key in kept else {}
    if places := schema.get("prefixItems"):  # a tuple, as json-schema-to-typescript reads it
        kept["items"] = [_plain(each) for each in places]
        kept["minItems"] = kept["maxItems"] = len(places)
    return kept


def written() -> str:
    """The types in TypeScript."""
    line = ["npx", "--no-install", "json2ts", "--unreachableDefinitions"]
    line += ["--bannerComment", f"{HEAD}\n// {source_hash()}"]
    made = subprocess.run(line, input=schema(), text=True, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return re.sub(r" */\*\*(?:(?!\*/).)*\*/\n", "", made.stdout, flags=re.DOTALL)


if __name__ == "__main__":
    TYPES.write_text(written())
