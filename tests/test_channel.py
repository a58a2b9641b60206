"""The private channel: what the other end wrote arrives, and nothing else is believed."""

import marshal
import socket

import pytest

from autograder.engine.channel import Channel, Tampered


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    key = bytes(range(32))
    yield Channel(ours, key, side=0), Channel(theirs, key, side=1), ours, theirs
    ours.close()
    theirs.close()


def test_messages_arrive_in_order_both_ways(ends):
    grader, gate, _, _ = ends
    for number in range(3):
        grader.send({"id": str(number), "source": "ä" * number})
        gate.send({"verdict": number, "line": None, "names": ["a"]})
    assert [gate.receive(1) for _ in range(3)] == [{"id": str(n), "source": "ä" * n} for n in range(3)]
    assert [grader.receive(1)["verdict"] for _ in range(3)] == [0, 1, 2]
    assert grader.receive(0) is None


def test_what_passes_by_cannot_be_read(ends):
    grader, _, _, theirs = ends
    grader.send({"source": "a hidden test " * 20})
    grader.send({"source": "a hidden test " * 20})
    first, second = theirs.recv(1 << 16), theirs.recv(1 << 16)
    assert b"hidden" not in first + second
    assert first[32:] != second[32:]


@pytest.mark.parametrize("packet", [b"", b"x", b"x" * 31, b"x" * 32, b"x" * 500, b"{}"])
def test_what_was_not_signed_is_found_out(ends, packet):
    grader, _, _, theirs = ends
    theirs.send(packet)
    if packet:
        with pytest.raises(Tampered):
            grader.receive(1)
    else:
        with pytest.raises(EOFError):
            grader.receive(1)


def test_repeated_reflected_reordered_and_swallowed_messages_are_found_out(ends):
    grader, gate, ours, theirs = ends
    gate.send({"a": 1})
    copy = ours.recv(1 << 16)
    theirs.send(copy)
    assert grader.receive(1) == {"a": 1}
    theirs.send(copy)
    with pytest.raises(Tampered):
        grader.receive(1)
    ours.send(copy)
    with pytest.raises(Tampered):
        gate.receive(1)
    grader.send({"b": 1})
    theirs.recv(1 << 16)
    grader.send({"b": 2})
    with pytest.raises(Tampered):
        gate.receive(1)


def test_another_key_is_found_out(ends):
    grader, _, _, theirs = ends
    Channel(theirs, bytes(32), side=1).send({"status": "passed"})
    with pytest.raises(Tampered):
        grader.receive(1)


def test_the_end_is_told(ends):
    grader, gate, _, _ = ends
    gate.close()
    with pytest.raises(EOFError):
        grader.receive(1)


def test_a_kernel_that_knows_the_key_can_send_text_only(ends):
    """`marshal.loads` of what an attacker wrote could crash the grader, or worse."""
    grader, gate, _, theirs = ends
    for text in (marshal.dumps({"status": "passed"}), b"[" * 100_000, b"[1]"):
        sealed = gate._cipher(text, 1, gate._sent)
        theirs.send(gate._sign(sealed, 1, gate._sent) + sealed)
        gate._sent += 1
        with pytest.raises(Tampered):
            grader.receive(1)
    message = {"evalue": 'ä "\\ \n\x00 \ud800', "line": -3, "passed": [True, False, None], "more": {"a": [[]]}}
    gate.send(message)
    assert grader.receive(1) == message
    with pytest.raises(TypeError):
        gate.send({"value": object()})
