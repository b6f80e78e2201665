"""Builds the kernel ``lanes`` for web pages, to the same bytes anywhere: ``python -m tools.wasm``.

It writes beside itself what it was built of, for a test that builds nothing.
"""

import inspect
import json
import subprocess
import sys
import tempfile
import tomllib
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
LANES = ROOT / "src/treino/engine/lanes"
DOOR = ROOT / "apps/studio/src/treino_studio/playground/wasm/door.cpp"
SHIPPED = DOOR.with_name("lanes.wasm")
RECORD = Path(__file__).with_suffix(".json")
FLAGS = tomllib.loads((LANES / "flags.toml").read_text())


def sources_hash() -> str:
    """The hash of what the module is made of, which is in its bytes."""
    return sha256(b"".join(path.read_bytes() for path in [*sorted(LANES.glob("*.*")), DOOR])).hexdigest()


def build(module: Path) -> None:
    """Write the module there."""
    with tempfile.TemporaryDirectory() as objects:
        parts = []
        for source in (LANES / "set.cpp", DOOR):
            text = Path(objects, f"{source.stem}.s")
            flags = [*FLAGS["all"], *FLAGS["wasm32"]["compile"]]
            own = ["-DLANES_SET=wasm", f"-I{LANES}", f'-DLANES_SOURCES="{sources_hash()}"']
            _zig(*flags, *own, "-S", source, "-o", text)
            # processors choose which zero or NaN a relaxed maximum is, and Clang takes it for x < y ? y : x
            text.write_text(text.read_text().replace("relaxed_max", "pmax").replace("relaxed_min", "pmin"))
            parts.append(f"{objects}/{source.stem}.o")
            _zig(*FLAGS["wasm32"]["compile"], "-c", text, "-o", parts[-1])
        _zig(*FLAGS["wasm32"]["link"], *parts, "-o", module)
        module.chmod(0o644)


def record(tool: str) -> dict[str, str]:
    """The hashes of the shipped module, of its sources, flags among these, and of how it is built."""
    return {
        "tool": tool,
        "build": sha256(inspect.getsource(build).encode()).hexdigest(),
        "sources": sources_hash(),
        SHIPPED.name: sha256(SHIPPED.read_bytes()).hexdigest(),
    }


def _zig(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", "c++", *words], check=True)


if __name__ == "__main__":
    build(SHIPPED)
    RECORD.write_text(json.dumps(record(f"ziglang=={version('ziglang')}"), indent=1) + "\n")
