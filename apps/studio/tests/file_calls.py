"""Ways in which a script touches files, by name; each returns what the script saw.

``a`` and ``b`` are names of files; ``text`` is what is written.
"""

import logging
import logging.handlers
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

CALLS: dict[str, Callable[..., Any]] = {}
Call = Callable[[str, str, str], Any]


def call(function: Call) -> Call:
    CALLS[function.__name__] = function
    return function


def perform(name: str, a: str, b: str, text: str) -> Any:
    """What the script saw: a value, or the kind of error."""
    try:
        return repr(CALLS[name](a, b, text))
    except OSError as error:
        return type(error).__name__, error.errno
    except Exception as error:
        return type(error).__name__


@call
def write(a: str, b: str, text: str) -> Any:
    with open(a, "w") as file:
        return file.write(text), file.name, file.mode


@call
def append(a: str, b: str, text: str) -> Any:
    with open(a, "a") as file:
        return file.write(text), file.tell()


@call
def append_and_read(a: str, b: str, text: str) -> Any:
    with open(a, "a+") as file:
        file.write(text)
        file.seek(0)
        return file.read()


@call
def create(a: str, b: str, text: str) -> Any:
    with open(a, "x") as file:
        file.write(text)


@call
def overwrite_begin(a: str, b: str, text: str) -> Any:
    with open(a, "r+") as file:
        before = file.read(2)
        file.seek(0)
        file.write(text)
        return before


@call
def cut(a: str, b: str, text: str) -> Any:
    os.truncate(a, 2)


@call
def read(a: str, b: str, text: str) -> Any:
    return Path(a).read_bytes()


@call
def look(a: str, b: str, text: str) -> Any:
    return os.path.exists(a), os.path.isdir(a), os.path.isfile(a), os.path.getsize(a), os.access(b, os.R_OK)


@call
def list_all(a: str, b: str, text: str) -> Any:
    names = sorted(name for name in os.listdir() if "branches" not in name)
    return names, sorted(map(str, Path().glob("f*/*"))), sorted(os.listdir(a))


@call
def remove(a: str, b: str, text: str) -> Any:
    os.remove(a)


@call
def move(a: str, b: str, text: str) -> Any:
    os.rename(a, b)


@call
def replace_at_once(a: str, b: str, text: str) -> Any:
    Path(a + ".tmp").write_text(text)
    os.replace(a + ".tmp", a)


@call
def make_folder(a: str, b: str, text: str) -> Any:
    os.makedirs(os.path.dirname(os.path.abspath(a)))


@call
def remove_folder(a: str, b: str, text: str) -> Any:
    shutil.rmtree("folder")


@call
def remove_empty_folder(a: str, b: str, text: str) -> Any:
    os.rmdir("folder")


@call
def move_folder(a: str, b: str, text: str) -> Any:
    shutil.move("folder", "folder-2")


@call
def copy_folder(a: str, b: str, text: str) -> Any:
    shutil.copytree("folder", "folder-2", dirs_exist_ok=True)


@call
def link_newest(a: str, b: str, text: str) -> Any:
    if os.path.islink("newest"):
        os.unlink("newest")
    os.symlink(a, "newest")
    return os.readlink("newest"), os.path.exists("newest"), os.path.realpath("newest") == os.path.realpath(a)


@call
def read_newest(a: str, b: str, text: str) -> Any:
    return Path("newest").read_text()


@call
def append_to_newest(a: str, b: str, text: str) -> Any:
    with open("newest", "a") as file:
        file.write(text)


@call
def descriptors(a: str, b: str, text: str) -> Any:
    number = os.open(a, os.O_RDWR | os.O_CREAT)
    try:
        before = os.pread(number, 3, 0)
        os.write(number, text.encode())
        return before, os.fstat(number).st_size
    finally:
        os.close(number)


@call
def other_folder(a: str, b: str, text: str) -> Any:
    before = os.getcwd()
    os.chdir("folder")
    try:
        with open("here", "a") as file:
            file.write(text)
        return sorted(os.listdir()), os.path.relpath(os.getcwd(), before), os.path.exists("../a")
    finally:
        os.chdir(before)


@call
def tensors(a: str, b: str, text: str) -> Any:
    before = torch.load(a) if zipfile.is_zipfile(a) else None
    torch.save({"weights": torch.full((3,), float(len(text)))}, a)
    return before, torch.load(a)


@call
def safe_tensors(a: str, b: str, text: str) -> Any:
    save_file({"weights": torch.full((3,), float(len(text)))}, a + ".safetensors")
    return load_file(a + ".safetensors")


@call
def arrays(a: str, b: str, text: str) -> Any:
    np.save(a + ".npy", np.frombuffer(text.encode(), np.uint8))
    np.savetxt(a + ".txt", [len(text)])
    np.full(2, len(text)).tofile(a + ".bin")
    return np.load(a + ".npy"), np.loadtxt(a + ".txt"), np.fromfile(a + ".bin", int)


@call
def table(a: str, b: str, text: str) -> Any:
    pd.DataFrame({"text": [text]}).to_csv(a, mode="a")
    return pd.read_csv(a, header=None, names=["one", "two"]).to_dict()


@call
def rotated_log(a: str, b: str, text: str) -> Any:
    logger = logging.Logger("script")
    handler = logging.handlers.RotatingFileHandler("rotated", maxBytes=5, backupCount=2)
    logger.addHandler(handler)
    logger.error(text)
    handler.close()


@call
def temporary(a: str, b: str, text: str) -> Any:
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w+", dir=folder) as file:
        file.write(text)
        file.flush()
        with tempfile.TemporaryFile() as other:
            other.write(b"x")
        return os.listdir(folder) == [os.path.basename(file.name)], Path(file.name).read_text()


@call
def rights(a: str, b: str, text: str) -> Any:
    os.chmod(a, 0o640)
    os.utime(a, (0, 5))
    return oct(os.stat(a).st_mode), os.stat(a).st_mtime
