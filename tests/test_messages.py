"""The connection between the grader and a kernel, from both ends."""

import json
import os
import select
import socket
import struct
import threading
import time

import pytest

from autograder.engine import messages
from autograder.engine.messages import Broken, Messages


@pytest.fixture
def ends():
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield [Messages(end) for end in pair]
    for end in pair:
        end.close()


def come(end, wanted, seconds=20):
    """The messages that come, so many or as many as do."""
    got, until = [], time.monotonic() + seconds
    while len(got) < wanted and time.monotonic() < until and not end.ended:
        select.select([end], [], [], 0.1)
        got += end.receive()
    return got


def say(end, **message):
    end.send(json.dumps(message).encode())


def in_thread(action, *arguments, **more):
    thread = threading.Thread(target=action, args=arguments, kwargs=more)
    thread.start()
    return thread


def test_messages_of_any_size_both_ways(ends):
    one, other = ends
    texts = ["", "a", "b" * ((1 << 16) - 9), "c" * (1 << 16), "d" * 3_000_000, "ü\ud800" * 40_000]
    for sender, taker in ((one, other), (other, one)):
        sending = in_thread(lambda end=sender: [say(end, text=text) for text in texts])
        assert come(taker, len(texts)) == [{"text": text} for text in texts]
        sending.join()
        assert list(taker.receive()) == [] and not taker.ended


def test_who_asks_for_one_message_finds_the_others_later(ends):
    one, other = ends
    say(one, n=1)
    say(one, n=2)
    assert next(other.receive()) == {"n": 1}
    assert list(other.receive()) == [{"n": 2}]
    for n in range(5):
        say(one, n=n)
    assert len(list(other.receive(most=3))) == 3 and len(list(other.receive())) == 2


def test_threads_and_processes_may_send_at_the_same_time(ends):
    one, other = ends
    # Long ones, so that their pieces come mixed.
    senders = [in_thread(lambda n=n: [say(one, sender=n, text=str(n) * 300_000) for _ in range(5)]) for n in range(4)]
    child = os.fork()
    if child == 0:
        for _ in range(5):
            say(one, sender=9, text="9" * 300_000)
        os._exit(0)
    got = come(other, 25)
    for sender in senders:
        sender.join()
    os.waitpid(child, 0)
    assert sorted(message["sender"] for message in got) == sorted([0, 1, 2, 3, 9] * 5)
    assert all(message["text"] == str(message["sender"]) * 300_000 for message in got)


def test_what_is_too_long_is_forgotten(ends, monkeypatch):
    one, other = ends
    monkeypatch.setattr(messages, "LONGEST_MESSAGE", 500_000)
    long = "x" * 600_000
    sending = in_thread(lambda: [say(one, n=1), say(one, text=long), say(one, text="y" * 400_000), say(one, n=2)])
    got = come(other, 3)
    sending.join()
    assert [message.get("n") for message in got] == [1, None, 2] and len(got[1]["text"]) == 400_000
    assert other.dropped == len(json.dumps({"text": long}))


def test_a_message_without_an_end_takes_no_memory(ends):
    one, other = ends
    head = struct.Struct(">IQ?")
    piece = head.pack(1, 1, True) + bytes(1 << 16)
    sent = 0
    while sent < 3 * messages.LONGEST_MESSAGE:
        one._socket.send(piece)
        sent += 1 << 16
        assert list(other.receive()) == []
    assert sum(len(begun or b"") for begun in other._begun.values()) <= messages.LONGEST_MESSAGE
    assert other.dropped > messages.LONGEST_MESSAGE
    # Many of them share the bound, and there cannot be any number of them.
    with pytest.raises(Broken):
        for number in range(2000):
            one._socket.send(head.pack(2, number, True) + b"x")
            list(other.receive())


@pytest.mark.parametrize(
    "junk",
    [b"x", bytes(12), bytes(13), b"\xff" * 5000, bytes(13) + b"[1]", bytes(13) + b"{", bytes(13) + b"[" * 60_000],
    ids=["a-letter", "half-a-head", "nothing", "noise", "no-object", "no-end", "deep"],
)
def test_junk_is_no_message(ends, junk):
    one, other = ends
    one._socket.send(junk)
    say(one, n=1)
    assert come(other, 1) == [{"n": 1}] and not other.ended


def test_the_other_end_is_gone(ends):
    one, other = ends
    say(one, n=1)
    one.close()
    assert list(other.receive()) == [{"n": 1}] and other.ended
    with pytest.raises(OSError):
        say(other, n=2)


def test_who_takes_nothing_is_not_waited_for():
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end = Messages(mine, timeout=1)
    begun = time.monotonic()
    with pytest.raises(OSError):
        say(end, text="x" * 10_000_000)
    assert 0.5 < time.monotonic() - begun < 10
    end.close()
    theirs.close()
