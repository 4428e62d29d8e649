"""What a run has solved and is solving, kept so that an interrupted one can be resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cczsim.assignment.equilibrium import ModeState
from cczsim.assignment.result import ModeEquilibrium
from cczsim.io.checkpoints import Checkpoints
from cczsim.pipeline.progress import Progress

EVERY: Final = 1.0
"""Seconds of solving from one state that is kept to the next, at least."""
_COST: Final = 20.0
"""How many times longer than keeping a state took is solved before the next is kept."""
_SOLVING: Final = "solving "


class KeptSteps:
    """The steps of the runs whose results go to one folder.

    Parameters
    ----------
    out : Path
    resume : bool
        Whether steps of an interrupted run are taken up.
    progress : Progress
    """

    def __init__(self, out: Path, resume: bool, progress: Progress) -> None:
        self._checkpoints = Checkpoints(out)
        self._resume = resume
        self._progress = progress

    def of(self, name: str, key: str) -> KeptSolve:
        """Return the steps of a scenario that is made from what ``key`` is a digest of."""
        return KeptSolve(self._checkpoints, self._resume, self._progress, name, key)

    def drop(self, name: str) -> None:
        """Forget a scenario whose result is written."""
        for step in (name, _SOLVING + name):
            self._checkpoints.drop(step)


class KeptSolve:
    """The way of one scenario to its equilibrium; see :class:`KeptSteps`."""

    def __init__(
        self, checkpoints: Checkpoints, resume: bool, progress: Progress, name: str, key: str
    ) -> None:
        self._checkpoints = checkpoints
        self._resume = resume
        self._progress = progress
        self._name = name
        self._key = key
        self._due = time.perf_counter() + EVERY

    def solved(self) -> ModeEquilibrium | None:
        """Return the equilibrium that was found from the same inputs; None without one."""
        found = self._find(self._name)
        if not isinstance(found, ModeEquilibrium):
            return None
        self._progress.say(f"{self._name}: resumed, solved before from the same inputs")
        return found

    def start(self) -> ModeState | None:
        """Return where an interrupted run was on its way from the same inputs."""
        found = self._find(_SOLVING + self._name)
        if not isinstance(found, ModeState):
            return None
        done = len(found.roads.history) if found.roads is not None else 0
        rounds = f"round {len(found.rounds) + 1}, " if found.lines is not None else ""
        self._progress.say(f"{self._name}: resumed in {rounds}iteration {done + 1}")
        return found

    def offer(self, state: Callable[[], ModeState]) -> None:
        """Keep a state if the last one is old enough."""
        began = time.perf_counter()
        if began < self._due:
            return
        self._keep(_SOLVING + self._name, state())
        now = time.perf_counter()
        self._due = now + max(EVERY, _COST * (now - began))

    def keep_solved(self, equilibrium: ModeEquilibrium) -> None:
        """Keep an equilibrium, and forget the way to it."""
        self._keep(self._name, equilibrium)
        self._checkpoints.drop(_SOLVING + self._name)

    def _find(self, step: str) -> Any:
        return self._checkpoints.find(step, self._key) if self._resume else None

    def _keep(self, step: str, value: Any) -> None:
        """Keep a step; a disk that refuses costs the checkpoint, not the run."""
        try:
            self._checkpoints.keep(step, self._key, value)
        except (OSError, TypeError) as error:
            said = getattr(error, "strerror", None) or str(error)
            self._progress.say(f"{self._name}: no checkpoint: {said}")
