"""One end of the connection between the grader and a kernel: what Jupyter's messages say, over one local socket.

ipykernel's sockets are ZeroMQ's, with a thread that sends, another that listens and copies between them: half
of what a short cell costs. And libzmq takes in a message in whole before anybody sees it, so that learner code
could fill the grader's memory; here what goes beyond a bound is read and forgotten.

A message is JSON, in pieces of one packet (SOCK_SEQPACKET) each. A piece begins with who sent it, which of that
process's messages it belongs to, and whether more follow, so that threads, and processes that a cell has
started, may send at the same time without knowing of each other.
"""

import itertools
import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

# Bytes of one message.
LONGEST_MESSAGE = 1 << 26
_HEAD = struct.Struct(">IQ?")
_PIECE = 1 << 16
# Messages that were begun and not ended; each thread and process has one at a time.
_MOST_BEGUN = 1000


class Broken(Exception):
    """What comes are not messages."""


class Messages:
    """One end; both are alike.

    Args:
        end: a connected SOCK_SEQPACKET socket.
        timeout: whole seconds in which the other end must take what is sent to it; None waits for ever.
    """

    def __init__(self, end: socket.socket, timeout: int | None = None) -> None:
        self._socket = end
        if timeout is not None:
            # Python would wait before it reads, too, if it knew of a timeout.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", timeout, 0))
        # Whether the other end is gone.
        self.ended = False
        # Bytes of messages that were too long.
        self.dropped = 0
        self._count = itertools.count()
        # The beginnings of messages; None for one that is too long.
        self._begun: dict[bytes, bytearray | None] = {}
        self._held = 0

    def fileno(self) -> int:
        """Return the descriptor that can be read when something has come, or the other end is gone."""
        return self._socket.fileno()

    def send(self, text: bytes) -> None:
        """Send one message.

        Raises:
            OSError: the other end is gone, or takes nothing.
        """
        sender, number = os.getpid(), next(self._count)
        last = max(0, len(text) - 1) // _PIECE
        for place in range(last + 1):
            head = _HEAD.pack(sender, number, place < last)
            self._socket.send(head + text[place * _PIECE : (place + 1) * _PIECE])

    def receive(self, most: int = 100) -> Iterator[dict[str, Any]]:
        """Yield the messages that have come by now, without those that are too long or no JSON objects.

        Args:
            most: how many pieces are read; the rest waits for the next call.

        Raises:
            Broken: too many messages were begun and not ended.
        """
        for _ in range(most):
            try:
                piece = self._socket.recv(_HEAD.size + _PIECE, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                piece = b""
            if not piece:
                self.ended = True
                return
            if (text := self._whole(piece)) is None:
                continue
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if type(message) is dict:
                yield message

    def _whole(self, piece: bytes) -> bytes | bytearray | None:
        """Return the message that this piece is the last one of, if it is one and not too long."""
        if len(piece) < _HEAD.size:
            return None
        more, key = piece[_HEAD.size - 1], piece[: _HEAD.size - 1]
        if not more and key not in self._begun:
            return piece[_HEAD.size :]
        begun = self._begun.pop(key, bytearray())
        size = len(piece) - _HEAD.size
        if begun is None or self._held + size > LONGEST_MESSAGE:
            self.dropped += size + len(begun or b"")
            self._held -= len(begun or b"")
            begun = None
        else:
            begun += piece[_HEAD.size :]
            self._held += size
        if more:
            self._begun[key] = begun
            if len(self._begun) > _MOST_BEGUN:
                raise Broken("too many messages have no end")
            return None
        self._held -= len(begun or b"")
        return begun

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
