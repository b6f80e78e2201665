"""Landlock, a part of Linux: from now on this process and its children can only write below one folder."""

import ctypes
import os
import sys

SYSTEM_CALLS = 444, 445, 446  # landlock_create_ruleset, landlock_add_rule, landlock_restrict_self
NO_NEW_PRIVILEGES = 38
VERSION_FLAG, BELOW_PATH = 1, 1
OLDEST = 2  # the first version that lets files be moved between the folders of one that is allowed
# write, remove (a folder, a file), make (of 7 kinds); of version 2: move elsewhere; of version 3: cut short
RIGHTS = sum(1 << bit for bit in (1, *range(4, 13), 13))
CUT_SHORT = 1 << 14
ALSO = ("/dev",)  # terminals, /dev/null, and memory that processes share


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled", ctypes.c_uint64),)


class _BelowPath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def seal(folder: str) -> bool:
    """Until its end, let this thread and what it starts write only below ``folder``; False if unsupported.

    Files that are open stay open. Call it while the process has no other threads.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    create, add, restrict = map(ctypes.c_long, SYSTEM_CALLS)
    version = library.syscall(create, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))
    if version < OLDEST:
        return False
    rules = _Ruleset(RIGHTS | (CUT_SHORT if version > OLDEST else 0))
    ruleset = library.syscall(create, ctypes.byref(rules), ctypes.c_size_t(8), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for allowed in (folder, *ALSO):
            place = os.open(allowed, os.O_PATH | os.O_CLOEXEC)
            below = _BelowPath(rules.handled, place)
            failed = library.syscall(add, ruleset, BELOW_PATH, ctypes.byref(below), ctypes.c_uint32(0))
            os.close(place)
            if failed:
                return False
        if library.prctl(NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0))):
            return False
        return bool(library.syscall(restrict, ruleset, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)
