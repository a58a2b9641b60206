"""The private channel between the grader and the gate in a kernel: enciphered, signed and in order.

Learner code has the descriptor as well: a thread of it could read what the grader sends, or write what
the gate would. Without the key it reads noise, and what it writes is found out.

The gate runs a copy of this module that shares nothing with the rest of its process, so only functions
written in C are used here: replacing `json.dumps` or `hmac.digest` changes nothing.
"""

import json
import marshal
from _hashlib import hmac_digest, openssl_shake_256
from _json import encode_basestring_ascii
from _operator import _compare_digest
from _thread import allocate_lock
from select import select
from socket import socket
from typing import Any

_SIZE = 1 << 22
_SIGNATURE = 32


class Tampered(Exception):
    """A message on the channel was not written by the other end."""


def _json_of(value: Any) -> str:
    """Return plain data as JSON, without `json.dumps`, which learner code can replace."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if type(value) is str:
        return encode_basestring_ascii(value)
    if type(value) is int:
        return int.__repr__(value)
    if type(value) in (list, tuple):
        return "[" + ",".join([_json_of(item) for item in value]) + "]"
    if type(value) is dict:
        return "{" + ",".join([f"{_json_of(key)}:{_json_of(item)}" for key, item in value.items()]) + "}"
    raise TypeError("no plain data")


def _read_json(text: bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Tampered("a message on the grader's channel is no plain data") from error
    if type(message) is not dict:
        raise Tampered("a message on the grader's channel is no plain data")
    return message


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
            text = _json_of(message).encode() if self._side else marshal.dumps(message)
            sealed = self._cipher(text, self._side, self._sent)
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
        text = self._cipher(sealed, other, self._received)
        self._received += 1
        # Unmarshalling is safe only for what the grader wrote: should a kernel's key ever get into the wrong hands,
        # the grader reads nothing but text.
        return marshal.loads(text) if self._side else _read_json(text)

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _sign(self, sealed: bytes, side: int, number: int) -> bytes:
        return hmac_digest(self._key, b"sign%d.%d." % (side, number) + sealed, "sha256")

    def _cipher(self, text: bytes, side: int, number: int) -> bytes:
        # SHAKE-256 as a stream: key, direction and number are never used together twice.
        stream = openssl_shake_256(self._key + b"seal%d.%d." % (side, number)).digest(len(text))
        return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")
