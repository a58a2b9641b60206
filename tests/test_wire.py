"""The grader's own end of a ZeroMQ connection, with libzmq at the other."""

import select
import socket
import threading
import time

import pytest
import zmq

from autograder.engine import wire
from autograder.engine.sandbox import SandboxError
from autograder.engine.wire import Broken, Wire


@pytest.fixture
def context():
    with zmq.Context() as made:
        yield made


def messages(end, wanted, seconds=10):
    """The messages that come, at least so many."""
    got, until = [], time.monotonic() + seconds
    while len(got) < wanted and time.monotonic() < until:
        select.select([end], [], [], 0.1)
        got += end.messages()
    return got


def test_requests_and_answers_of_any_size(context, tmp_path):
    router = context.socket(zmq.ROUTER)
    router.bind(f"ipc://{tmp_path}/s")
    end = Wire(f"{tmp_path}/s", "DEALER", 5)
    sent = [b"", b"a", bytes(255), b"b" * 256, b"c" * 70_000, b"d" * 3_000_000]
    # It takes a while until so much fits into the socket.
    sending = threading.Thread(target=end.send_multipart, args=(sent,))
    sending.start()
    identity, *frames = router.recv_multipart()
    sending.join()
    assert frames == sent
    router.send_multipart([identity, *sent])
    router.send_multipart([identity, b"next"])
    assert messages(end, 2) == [sent, [b"next"]]
    assert list(end.messages()) == [] and not end.ended
    # Who asks for one message finds the others later.
    router.send_multipart([identity, b"one"])
    router.send_multipart([identity, b"two"])
    time.sleep(0.2)
    assert next(end.messages()) == [b"one"] and list(end.messages()) == [[b"two"]]
    router.close(linger=0)
    assert messages(end, 1, 1) == [] and end.ended
    end.close()


def test_a_subscriber_is_told_everything(context, tmp_path):
    published = context.socket(zmq.XPUB)
    published.bind(f"ipc://{tmp_path}/s")
    end = Wire(f"{tmp_path}/s", "SUB", 5)
    assert published.recv() == b"\x01"
    for number in range(300):
        published.send_multipart([b"topic", b"%d" % number])
    assert messages(end, 300) == [[b"topic", b"%d" % number] for number in range(300)]
    end.close()
    published.close(linger=0)


TOO_LONG = {
    "many frames": [bytes(1000)] * 200,
    "one frame": [bytes(150_000)],
    "the last frame": [b"a", bytes(99_000), bytes(2000)],
    "the first frame": [bytes(3_000_000), b"a"],
    "empty frames": [b""] * 20_000,
}


@pytest.mark.parametrize("frames", TOO_LONG.values(), ids=TOO_LONG)
def test_a_message_without_end_is_forgotten(context, tmp_path, monkeypatch, frames):
    monkeypatch.setattr(wire, "LONGEST_MESSAGE", 100_000)
    published = context.socket(zmq.XPUB)
    published.bind(f"ipc://{tmp_path}/s")
    end = Wire(f"{tmp_path}/s", "SUB", 5)
    published.recv()
    published.send_multipart([b"topic", b"short"])
    published.send_multipart(frames)
    published.send_multipart([b"topic", b"next"])
    assert messages(end, 2) == [[b"topic", b"short"], [b"topic", b"next"]]
    assert end.dropped <= sum(map(len, frames)) and (end.dropped or not any(frames))
    end.close()
    published.close(linger=0)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(64), b"\xff" + bytes(100)])
def test_who_speaks_something_else_is_no_kernel(tmp_path, greeting):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(f"{tmp_path}/s")
        server.listen()

        def answer():
            theirs, _ = server.accept()
            theirs.sendall(greeting)
            time.sleep(1)
            theirs.close()

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(SandboxError, match="could not be spoken to"):
            Wire(f"{tmp_path}/s", "SUB", 0.5)
        answering.join()


def test_what_is_no_frame_is_noticed(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(f"{tmp_path}/s")
        server.listen()

        def answer():
            theirs, _ = server.accept()
            ready = b"\x05READY"
            theirs.sendall(b"\xff" + bytes(8) + b"\x7f\x03" + bytes(53) + bytes([4, len(ready)]) + ready + b"\x7f" * 9)
            time.sleep(1)
            theirs.close()

        answering = threading.Thread(target=answer)
        answering.start()
        end = Wire(f"{tmp_path}/s", "DEALER", 5)
        with pytest.raises(Broken):
            messages(end, 1)
        end.close()
        answering.join()
