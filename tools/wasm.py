"""Builds the kernel ``lanes`` for web pages, to the same bytes anywhere: ``python -m tools.wasm``."""

import subprocess
import sys
import tempfile
import tomllib
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parent.parent
LANES = ROOT / "src/treino/engine/lanes"
SHIPPED = ROOT / "src/treino/playground/wasm"
DOOR = SHIPPED / "door.cpp"
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


def _zig(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", "c++", *words], check=True)


if __name__ == "__main__":
    build(SHIPPED)
