"""Builds the kernel ``lanes``, an optional part: without a C++ compiler treino is installed without it."""

import os
import platform
import re
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

PACKAGE = "treino.engine.kernels"
HERE = "src/treino/engine/lanes"
FLAGS = tomllib.loads((Path(__file__).parent / HERE / "flags.toml").read_text())
MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}


def machine() -> str:
    """That it is compiled for: on a Mac the one that is asked for, or else this one."""
    here = platform.machine()
    if sys.platform == "darwin":
        here = re.findall(r"-arch +(\w+)", os.environ.setdefault("ARCHFLAGS", f"-arch {here}"))[0]
    return here.lower()


class Modules(build_py):
    """Puts the pages of the course into the package that shows them."""

    def run(self) -> None:
        super().run()
        for folder in () if self.editable_mode else ("lessons", "licoes"):
            for page in sorted(Path("apps/lessons/docs", folder).rglob("*.[mp][dn]*")):
                target = Path(self.build_lib, "treino_lessons/docs", page.relative_to("apps/lessons/docs"))
                self.mkpath(str(target.parent))
                self.copy_file(str(page), str(target))


class Wheel(bdist_wheel):
    """For every Python: what is compiled in it is no module of Python's."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


class Build(build_ext):
    """Compiles ``set.cpp`` once for each instruction set and links all of them into one library."""

    def get_ext_filename(self, fullname: str) -> str:
        return fullname.replace(".", "/") + ".so"  # no module of Python's: any version loads it

    def build_extension(self, ext: Extension) -> None:
        sources = sha256(b"".join(path.read_bytes() for path in sorted(Path(HERE).glob("*.*"))))
        known = f'-DLANES_SOURCES="{sources.hexdigest()}"'  # lanes_library.py takes no library of other ones
        objects = self._compile(ext, f"{HERE}/lanes.cpp", "door", [known])
        for name, flags in self.sets.items():
            objects += self._compile(ext, f"{HERE}/set.cpp", name, [*flags, f"-DLANES_SET={name}"])
        self.compiler.link_shared_object(
            objects, self.get_ext_fullpath(ext.name), libraries=["m"], target_lang="c++",
            extra_postargs=["-fno-fast-math"],  # linked for fast math it would change how this process rounds
        )  # fmt: skip

    def _compile(self, ext: Extension, source: str, name: str, flags: list[str]) -> list[str]:
        return self.compiler.compile(
            [source], f"{self.build_temp}/{name}", extra_postargs=FLAGS["all"] + flags, depends=ext.depends
        )

    def run(self) -> None:
        here = self.get_finalized_command("build_py").get_package_dir(PACKAGE)
        for folder in (f"{self.build_lib}/{PACKAGE.replace('.', '/')}", *([here] if self.inplace else [])):
            Path(folder, "_lanes.so").unlink(missing_ok=True)  # a failure leaves no library of older sources
        try:
            self.sets = FLAGS["sets"][MACHINES[machine()]]  # another machine: KeyError, and no library
            super().run()
        except Exception as error:  # the compilers' and setuptools' own have no common class
            print(f"treino: the kernel lanes is left out: {error!r}")

    def copy_extensions_to_source(self) -> None:
        """Of an editable installation, where there is something to copy."""
        try:
            super().copy_extensions_to_source()
        except Exception as error:
            print(f"treino: the kernel lanes is left out: {error!r}")

    def get_outputs(self) -> list[str]:
        return [path for path in super().get_outputs() if Path(path).exists()]


if __name__ == "__main__":  # tools ask for what stands above
    setup(
        ext_modules=[Extension(f"{PACKAGE}._lanes", [f"{HERE}/lanes.cpp"], optional=True)],
        cmdclass={"build_ext": Build, "build_py": Modules, "bdist_wheel": Wheel},
    )
