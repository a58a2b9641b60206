"""One end of a ZeroMQ connection over a local socket, with a bound on what a message may hold.

libzmq bounds a frame, but not how many a message has, and takes a message in whole before anybody sees it: with
one buffer sent a thousand times over, learner code would fill the grader's memory. Here what goes beyond the
bound is read and forgotten.

The protocol is ZMTP 3.0 (rfc.zeromq.org/spec/23) without security, of which a client needs little.
"""

import socket
import struct
import time
from collections.abc import Iterator

from autograder.engine.sandbox import SandboxError

# Bytes of one message, with what Python needs to hold a frame.
LONGEST_MESSAGE = 1 << 26
_OVERHEAD = 64
_CHUNK = 1 << 18
_MORE, _LONG, _COMMAND = 1, 2, 4
# Signature, version 3.0, the mechanism's name, client, filler.
_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_SUBSCRIBE_TO_ALL = b"\x01"


class Broken(Exception):
    """What comes is not ZMTP: nothing can be read after it."""


class Wire:
    """A connection to a socket of a kernel.

    Args:
        path: where the kernel's socket is.
        kind: what this end is, "DEALER" or "SUB"; a SUB gets whatever is published.
        timeout: seconds for the beginning, and for whatever is sent later.

    Raises:
        SandboxError: nobody there speaks ZMTP 3.
    """

    def __init__(self, path: str, kind: str, timeout: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._timeout = timeout
        # Whether the other end is gone.
        self.ended = False
        # Bytes of messages that were too long.
        self.dropped = 0
        self._read = bytearray()
        self._frames: list[bytes] = []
        self._size = 0
        # Of the frame that is being forgotten, its flags and the bytes that have not come yet.
        self._forgotten: tuple[int, int] | None = None
        try:
            self._socket.connect(path)
            self._greet(kind, time.monotonic() + timeout)
            self._socket.setblocking(False)
        except (OSError, Broken) as error:
            self._socket.close()
            raise SandboxError(f"a new kernel could not be spoken to: {error}") from error

    def _greet(self, kind: str, end: float) -> None:
        metadata = b"".join(
            bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
            for name, value in ((b"Socket-Type", kind.encode()), (b"Identity", b""))
        )
        self._socket.sendall(_GREETING + _frame(b"\x05READY" + metadata, _COMMAND))
        while len(self._read) < len(_GREETING):
            self._receive(end)
        if self._read[0] != 0xFF or self._read[10] < 3:
            raise Broken("it does not speak ZMTP 3")
        del self._read[: len(_GREETING)]
        while (first := self._next_frame()) is None:
            self._receive(end)
        flags, body = first
        if not flags & _COMMAND or not body.startswith(b"\x05READY"):
            raise Broken("it refuses the connection")
        if kind == "SUB":
            self._socket.sendall(_frame(_SUBSCRIBE_TO_ALL, 0))

    def _receive(self, end: float) -> None:
        if time.monotonic() > end:
            raise TimeoutError("it says nothing")
        if not (chunk := self._socket.recv(_CHUNK)):
            raise ConnectionError("it has ended")
        self._read += chunk

    def fileno(self) -> int:
        """Return the descriptor that can be read when something has come, or the other end is gone."""
        return self._socket.fileno()

    def send_multipart(self, frames: list[bytes], **_: object) -> None:
        """Send one message.

        Raises:
            OSError: the other end is gone, or takes nothing.
        """
        last = len(frames) - 1
        parts = (_frame(bytes(frame), _MORE if place < last else 0) for place, frame in enumerate(frames))
        # Python waits for whatever a socket with a timeout is asked, so it has one only here.
        self._socket.settimeout(self._timeout)
        try:
            self._socket.sendall(b"".join(parts))
        finally:
            self._socket.setblocking(False)

    def messages(self, most: int = 100) -> Iterator[list[bytes]]:
        """Yield messages, each as its frames, that have come by now; those that are too long are left out.

        Args:
            most: how many chunks are read; the rest waits for the next call.

        Raises:
            Broken: nothing can be read any more.
        """
        yield from self._whole()
        for _ in range(most):
            try:
                chunk = self._socket.recv(_CHUNK)
                self.ended = not chunk
            except BlockingIOError:
                return
            except ConnectionError:
                chunk, self.ended = b"", True
            self._read += chunk
            yield from self._whole()
            if len(chunk) < _CHUNK:
                return

    def _whole(self) -> Iterator[list[bytes]]:
        """Yield the messages that are all there in what was read."""
        while (frame := self._next_frame()) is not None:
            flags, body = frame
            if flags & _COMMAND:
                continue
            self._size += len(body) + _OVERHEAD
            if whole := self._size <= LONGEST_MESSAGE:
                self._frames.append(body)
            else:
                self._frames.clear()
            if not flags & _MORE:
                message, self._frames, self._size = self._frames, [], 0
                if whole:
                    yield message

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Take one frame out of what was read; return None if it is not all there.

        One that would make its message too long is empty.
        """
        read = self._read
        if self._forgotten is not None:
            return self._forget()
        if len(read) < 2:
            return None
        flags = read[0]
        if flags & ~(_MORE | _LONG | _COMMAND):
            raise Broken("a frame is of no known kind")
        if flags & _LONG:
            if len(read) < 9:
                return None
            begin, size = 9, int.from_bytes(read[1:9], "big")
        else:
            begin, size = 2, read[1]
        if self._size + size + _OVERHEAD > LONGEST_MESSAGE:
            del read[:begin]
            self._size, self._forgotten = LONGEST_MESSAGE, (flags, size)
            return self._forget()
        if len(read) < begin + size:
            return None
        body = bytes(read[begin : begin + size])
        del read[: begin + size]
        return flags, body

    def _forget(self) -> tuple[int, bytes] | None:
        flags, left = self._forgotten
        now = min(left, len(self._read))
        del self._read[:now]
        self.dropped += now
        self._forgotten = (flags, left - now) if now < left else None
        return None if self._forgotten else (flags, b"")

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def _frame(body: bytes, flags: int) -> bytes:
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | _LONG]) + struct.pack(">Q", len(body)) + body
