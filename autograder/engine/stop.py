"""Ctrl-C and its like: they stop a run between two steps, never within one."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stop:
    """While entered, turns the signals that ask a program to end into KeyboardInterrupt."""

    def __init__(self) -> None:
        self._asked = self._busy = False
        self._before: dict = {}

    def __enter__(self) -> "Stop":
        if threading.current_thread() is threading.main_thread():
            # What is ignored stays ignored: nohup, or a background job of a shell.
            self._before = {
                s: signal.signal(s, self._handle) for s in _SIGNALS if signal.getsignal(s) != signal.SIG_IGN
            }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # Who asks twice does not want to wait.
        if self._busy and not self._asked:
            self._asked = True
            return
        self._asked = True
        raise KeyboardInterrupt

    @contextlib.contextmanager
    def postponed(self) -> Iterator[None]:
        """Let what is begun come to its end; then stop, if that was asked."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._asked:
            raise KeyboardInterrupt
