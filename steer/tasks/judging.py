"""The process that compares mathematical expressions: one question and one answer a line, JSON.

Math-Verify computes what a model writes, and ``9^{9^{9^9}}`` never ends; its own time limits need
the main thread. Here an alarm ends the process, whatever it is at, and the parent starts another.
Run as ``python -m steer.tasks.judging SECONDS``; it ends with its input.
"""

import json
import logging
import resource
import signal
import sys
from typing import Any

_MEMORY = 4 * 2**30


def _parsed(text: str) -> list[Any]:
    from math_verify import parse

    found: list[Any] = parse(text, parsing_timeout=0)
    return found


def _read(text: str) -> str | None:
    found = _parsed(text)
    return str(found[-1]) if found else None


def _same(answer: str, gold: str) -> bool:
    from math_verify import verify

    return bool(verify(_parsed(f"${gold}$"), _parsed(f"${answer}$"), timeout_seconds=0))


def _answer(question: dict[str, str]) -> str | bool | None:
    try:
        return _read(question["text"]) if "text" in question else _same(**question)
    except (Exception, RecursionError, MemoryError):
        return None


def main(seconds: float) -> None:
    """Answer until there are no more questions. ``seconds``: longest for one."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    logging.disable(logging.CRITICAL)
    _read("$1$")  # The libraries take longer to load than any question may.
    print("ready", flush=True)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        said = json.dumps(_answer(json.loads(line)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(said, flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
