"""Mathematical expressions in texts, compared by Math-Verify (extra ``reasoning``)."""

import atexit
import json
import os
import subprocess
import sys
import threading
from functools import cache
from importlib.util import find_spec
from typing import Any

from steer.errors import FailedPrecondition

SECONDS = 5.0
"""Longest for one expression. What takes longer is no answer, and not the right one."""
READ = 1000
"""Characters at the end of a text in which its answer is looked for."""
_KEPT = ("PATH", "LANG", "LC_ALL")
_REMEMBERED = 16_384


class Judge:
    """Asks ``judging`` in a process of its own, which what a model writes may end: then there is
    another for the next question. Safe to use from several threads. ``seconds``: as ``SECONDS``."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._known: dict[str, Any] = {}

    def read(self, text: str) -> str | None:
        """The last expression of a text; None without one."""
        found: str | None = self._ask({"text": text[-READ:]})
        return found

    def same(self, answer: str, gold: str) -> bool:
        """Whether two expressions are equal."""
        return bool(self._ask({"answer": answer, "gold": gold}))

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._process is not None:
                self._process.communicate()
                self._process = None

    def _ask(self, question: dict[str, str]) -> Any:
        line = json.dumps(question)
        with self._lock:
            if line not in self._known:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[line] = self._told(line)
            return self._known[line]

    def _told(self, line: str) -> Any:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            said = process.stdout.readline()
        except BrokenPipeError:
            said = ""
        if not said:
            process.communicate()
            self._process = None
        return json.loads(said) if said else None

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            # It computes what a model wrote: nothing of this process's is its business.
            kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "steer.tasks.judging", str(self._seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Or Ctrl-C ends it, and with it an answer.
                env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            assert self._process.stdout is not None
            if not self._process.stdout.readline():
                code, self._process = self._process.wait(), None
                message = f"Math-Verify can not be started (exit status {code})"
                raise FailedPrecondition(message, reason="EXTRA_MISSING")
        return self._process


@cache
def judge() -> Judge:
    """The one of this process. Raises FailedPrecondition without the library."""
    if find_spec("math_verify") is None:
        message = "extractor: math needs Math-Verify; install steer[reasoning]"
        raise FailedPrecondition(message, reason="EXTRA_MISSING")
    made = Judge()
    atexit.register(made.close)
    return made
