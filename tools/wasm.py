"""Builds the kernel ``lanes`` for web pages, to the same bytes anywhere: ``python -m tools.wasm``.

It writes beside itself what they were built of, for a test that builds nothing.
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
SHIPPED = ROOT / "apps/studio/src/treino_studio/playground/wasm"
DOOR = SHIPPED / "door.cpp"
RECORD = Path(__file__).with_suffix(".json")
FLAGS = tomllib.loads((LANES / "flags.toml").read_text())
MODULES = tuple(FLAGS["sets"]["wasm32"])


def sources_hash() -> str:
    """The hash of what the modules are made of; each has it in its bytes."""
    return sha256(b"".join(path.read_bytes() for path in [*sorted(LANES.glob("*.*")), DOOR])).hexdigest()


def build(folder: Path) -> None:
    """Write ``relaxed.wasm`` and ``exact.wasm`` there."""
    with tempfile.TemporaryDirectory() as objects:
        for name in MODULES:
            parts = []
            for source in (LANES / "set.cpp", DOOR):
                parts.append(f"{objects}/{source.stem}.o")
                flags = [*FLAGS["all"], *FLAGS["wasm32"]["compile"], *FLAGS["sets"]["wasm32"][name]]
                own = [f"-I{LANES}", f'-DLANES_SOURCES="{sources_hash()}"']
                _zig(*flags, *own, "-c", source, "-o", parts[-1])
            module = folder / f"{name}.wasm"
            _zig(*FLAGS["wasm32"]["link"], *parts, "-o", module)
            module.chmod(0o644)


def record(tool: str) -> dict[str, str]:
    """The hashes of the shipped modules, of their sources, flags among these, and of how they are built."""
    hashes = {"build": sha256(inspect.getsource(build).encode()).hexdigest(), "sources": sources_hash()}
    for name in MODULES:
        hashes[f"{name}.wasm"] = sha256((SHIPPED / f"{name}.wasm").read_bytes()).hexdigest()
    return {"tool": tool} | hashes


def _zig(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", "c++", *words], check=True)


if __name__ == "__main__":
    build(SHIPPED)
    RECORD.write_text(json.dumps(record(f"ziglang=={version('ziglang')}"), indent=1) + "\n")
