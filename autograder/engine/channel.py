"""The private channel between the grader and the gate in a kernel: enciphered, signed and in order.

Learner code has the descriptor as well: a thread of it could read what the grader sends, or write what
the gate would. Without the key it reads noise, and what it writes is found out.

The gate runs a copy of this module that shares nothing with the rest of its process, so only functions
written in C are used here: replacing `json.dumps` or `hmac.digest` changes nothing.
"""

import marshal
from _hashlib import hmac_digest, openssl_shake_256
from _operator import _compare_digest
from _thread import allocate_lock
from select import select
from socket import socket
from typing import Any

_SIZE = 1 << 22
_SIGNATURE = 32


class Tampered(Exception):
    """A message on the channel was not written by the other end."""


class Channel:
    """One end. Messages are dicts of plain data, numbered, enciphered with a hash-based stream, and signed.

    Args:
        end: a connected SOCK_SEQPACKET socket.
        key: 32 bytes that both ends know.
        side: 0 for the grader, 1 for the kernel.
    """

    def __init__(self, end: socket, key: bytes, side: int) -> None:
        self._send, self._recv, self._fileno = end.send, end.recv, end.fileno()
        self._end, self._key, self._side = end, key, side
        self._sent = self._received = 0
        self._lock = allocate_lock()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message. Threads may call this at the same time."""
        with self._lock:
            sealed = self._cipher(marshal.dumps(message), self._side, self._sent)
            signature = self._sign(sealed, self._side, self._sent)
            self._sent += 1
            self._send(signature + sealed)

    def receive(self, timeout: float | None) -> dict[str, Any] | None:
        """Return the next message; None if none came in time.

        Raises:
            Tampered: what came was not signed by the other end.
            EOFError: the other end is closed.
        """
        ready, _, _ = select([self._fileno], [], [], timeout)
        if not ready:
            return None
        packet = self._recv(_SIZE)
        if not packet:
            raise EOFError("the channel is closed")
        signature, sealed = packet[:_SIGNATURE], packet[_SIGNATURE:]
        other = 1 - self._side
        if not _compare_digest(signature, self._sign(sealed, other, self._received)):
            raise Tampered("a message on the grader's channel was forged or swallowed")
        # Unmarshalling is safe only because the signature was right.
        text = self._cipher(sealed, other, self._received)
        self._received += 1
        return marshal.loads(text)

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _sign(self, sealed: bytes, side: int, number: int) -> bytes:
        return hmac_digest(self._key, b"sign%d.%d." % (side, number) + sealed, "sha256")

    def _cipher(self, text: bytes, side: int, number: int) -> bytes:
        # SHAKE-256 as a stream: key, direction and number are never used together twice.
        stream = openssl_shake_256(self._key + b"seal%d.%d." % (side, number)).digest(len(text))
        return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")
