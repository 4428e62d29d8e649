"""The decorators of all kernels, and where their machine code is kept.

A cached kernel goes stale when a callee in another file changes, so the cache folder is named by a
digest of all kernel files: an edit of any of them compiles all of them anew.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import numba


def _cache_root() -> Path:
    named = os.environ.get("CCZSIM_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "cczsim"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cczsim"


def _digest() -> str:
    state = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        state.update(source.name.encode())
        state.update(source.read_bytes())
    return state.hexdigest()[:16]


numba.config.CACHE_DIR = str(_cache_root() / f"kernels-{_digest()}")

kernel: Any = numba.njit(cache=True, error_model="numpy")
parallel_kernel: Any = numba.njit(cache=True, error_model="numpy", parallel=True)

inner_kernel: Any = numba.njit(cache=True, error_model="numpy", forceinline=True)
"""For what runs once a link: its code is put in place of its call."""

sub_kernel: Any = numba.njit(
    cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
"""For what only kernels call: no wrapper is compiled by which Python could call it."""

block_kernel: Any = numba.njit(cache=True, error_model="numpy", nogil=True)
"""For what threads call block by block (``assignment/threads.py``): a parallel loop that takes as
many arrays as these would need two or three seconds more to compile."""
