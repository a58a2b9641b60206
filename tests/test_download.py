"""Downloading the whole Fashion-MNIST, tried on a real server on the loopback interface that misbehaves on demand."""

import gzip
import hashlib
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from dlcourse import _download, data

LABELS = "t10k-labels-idx1-ubyte.gz"
IMAGES = "t10k-images-idx3-ubyte.gz"


def idx(*shape, seed):
    values = random.Random(seed).randbytes(torch.Size(shape).numel())
    return gzip.compress(struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + values, mtime=0)


# Small stand-ins for the real files; about 157,000 incompressible bytes of images.
CONTENT = {IMAGES: idx(200, 28, 28, seed=1), LABELS: idx(200, seed=2)}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, name = self.server, self.path.rpartition("/")[2]
        asked = self.headers.get("Range")
        server.requests.append((name, asked))
        step = server.plan.pop(0) if server.plan else {}
        time.sleep(step.get("delay", 0))
        if "status" in step:
            self.send_error(step["status"])
            return
        body = step.get("body", server.content[name])
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
        if start and start >= len(body):
            self.send_error(416)
            return
        if start:
            self.send_response(206)
            claimed = step.get("claims", start)
            self.send_header("Content-Range", f"bytes {claimed}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        # "stop" breaks the connection off after so many bytes of the file.
        self.wfile.write(body[start : step.get("stop")])

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []  # (name, Range header) of each request
        self.plan = []  # what to do at the next requests; nothing special when it is used up
        self.content = dict(CONTENT)
        self.ranges = True
        self.url = f"http://127.0.0.1:{self.server_port}/data"


@pytest.fixture
def server(monkeypatch):
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("DLCOURSE_FASHION_MNIST_URL", running.url)
        yield running
        running.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no copy from Debian, no real address, short pauses, and the stand-ins for originals."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DLCOURSE_CACHE", str(folder))
    monkeypatch.setenv("DLCOURSE_FASHION_MNIST_URL", "http://127.0.0.1:9/never")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_download, "DEBIAN_FOLDER", tmp_path / "nowhere")
    monkeypatch.setattr(_download, "PAUSE", 0.001)
    for name, content in CONTENT.items():
        monkeypatch.setitem(_download.FILES, name, (hashlib.sha256(content).hexdigest(), "another copy"))
    return folder


def left_in(folder):
    """What is there besides lock files."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_complete(server, cache, capsys):
    images, labels = data.fashion_mnist("test", full=True)
    assert images.shape == (200, 1, 28, 28) and images.dtype == torch.float32
    assert labels.tolist() == list(_download.read_idx(CONTENT[LABELS]))
    assert torch.equal((images * 255).round().to(torch.uint8)[:, 0], torch.tensor(_download.read_idx(CONTENT[IMAGES])))
    assert server.requests == [(IMAGES, None), (LABELS, None)]
    assert left_in(cache) == [IMAGES, LABELS]
    assert (cache / IMAGES).read_bytes() == CONTENT[IMAGES]
    printed = capsys.readouterr()
    assert printed.err == "" and len(printed.out.splitlines()) == 2 and str(cache) in printed.out


def test_a_cached_file_needs_no_request_and_says_nothing(server, capsys):
    _download.fetch(IMAGES)
    capsys.readouterr()
    server.requests.clear()
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests == []
    assert capsys.readouterr() == ("", "")


def test_debian_s_copy_is_used_if_it_is_good(server, tmp_path, monkeypatch):
    folder = tmp_path / "debian"
    folder.mkdir()
    monkeypatch.setattr(_download, "DEBIAN_FOLDER", folder)
    (folder / LABELS).write_bytes(CONTENT[LABELS])
    (folder / IMAGES).write_bytes(b"something else")
    assert _download.fetch(LABELS) == CONTENT[LABELS] and server.requests == []
    assert _download.fetch(IMAGES) == CONTENT[IMAGES] and len(server.requests) == 1


def test_interrupted_then_resumed_in_the_same_call(server, cache):
    server.plan = [{"stop": 70_000}]
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests == [(IMAGES, None), (IMAGES, "bytes=70000-")]
    assert (cache / IMAGES).read_bytes() == CONTENT[IMAGES] and left_in(cache) == [IMAGES]


def test_interrupted_for_good_then_resumed_by_the_next_call(server, cache):
    server.plan = [{"stop": 70_000}] + [{"status": 503}] * 20
    with pytest.raises(data.DownloadError, match="503"):
        _download.fetch(IMAGES)
    assert left_in(cache) == [f"{IMAGES}.part"]
    server.plan, server.requests = [], []
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests == [(IMAGES, "bytes=70000-")]


def test_a_line_that_keeps_breaking_gets_there_as_long_as_each_attempt_brings_something(server):
    server.plan = [{"stop": 10_000 * n} for n in range(1, 10)]
    assert len(server.plan) > _download.ATTEMPTS
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests[-1] == (IMAGES, "bytes=90000-")


def test_a_line_that_brings_nothing_is_given_up(server):
    server.plan = [{"stop": 0}] * 20
    with pytest.raises(data.DownloadError, match="broke off after 0 of"):
        _download.fetch(IMAGES)
    assert len(server.requests) == _download.ATTEMPTS


def test_a_server_without_range_starts_over(server):
    server.ranges = False
    server.plan = [{"stop": 70_000}]
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests == [(IMAGES, None), (IMAGES, "bytes=70000-")]


def test_another_range_than_the_one_asked_for_is_not_appended(server):
    server.plan = [{"stop": 70_000}, {"claims": 0}]
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests == [(IMAGES, None), (IMAGES, "bytes=70000-"), (IMAGES, None)]


def test_a_whole_part_is_kept_when_the_server_has_nothing_more(server, cache):
    cache.mkdir()
    (cache / f"{IMAGES}.part").write_bytes(CONTENT[IMAGES])
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests == [(IMAGES, f"bytes={len(CONTENT[IMAGES])}-")]
    assert left_in(cache) == [IMAGES]


@pytest.mark.parametrize("stale", [b"x" * 1000, b"x" * 1_000_000], ids=["shorter", "longer"])
def test_a_part_from_elsewhere_is_thrown_away(server, cache, stale):
    cache.mkdir()
    (cache / f"{IMAGES}.part").write_bytes(stale)
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert server.requests == [(IMAGES, f"bytes={len(stale)}-"), (IMAGES, None)]


@pytest.mark.parametrize("wrong", [b"<html>Please sign in</html>", CONTENT[IMAGES][:-1] + b"!", CONTENT[IMAGES] + b"!"])
def test_a_corrupted_file_is_refused_and_not_kept(server, cache, wrong):
    server.content[IMAGES] = wrong
    with pytest.raises(data.DownloadError, match="not the original file: its SHA-256 is wrong"):
        data.fashion_mnist("test", full=True)
    assert left_in(cache) == []
    assert len(server.requests) == 1  # the same bytes would come again
    server.content = CONTENT
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]


def test_a_damaged_file_in_the_cache_is_replaced(server, cache):
    _download.fetch(IMAGES)
    (cache / IMAGES).write_bytes(CONTENT[IMAGES][:-1])
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]
    assert (cache / IMAGES).read_bytes() == CONTENT[IMAGES]


def test_a_damaged_file_in_the_cache_is_mentioned_when_it_cannot_be_replaced(cache):
    cache.mkdir()
    (cache / IMAGES).write_bytes(b"by hand, but wrong")
    with pytest.raises(data.DownloadError, match="in the cache is not the original"):
        _download.fetch(IMAGES)


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (500, 4), (503, 4), (429, 4)])
def test_errors_of_the_server_are_retried_only_if_they_may_pass(server, cache, status, requests):
    server.plan = [{"status": status}] * 20
    with pytest.raises(data.DownloadError, match=f"the server answered {status}"):
        _download.fetch(IMAGES)
    assert len(server.requests) == requests
    assert left_in(cache) == []


def test_a_passing_error_is_survived(server):
    server.plan = [{"status": 503}, {"status": 500}]
    assert _download.fetch(IMAGES) == CONTENT[IMAGES]


def test_refused_names_the_reason_and_the_ways_out(cache, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("DLCOURSE_FASHION_MNIST_URL", url)
    with pytest.raises(data.DownloadError) as caught:
        data.fashion_mnist("test", full=True)
    message = str(caught.value)
    assert "refused the connection" in message and url in message and "\n" not in message
    assert "embedded subset" in message and str(cache) in message and _download.FILES[IMAGES][0] in message
    # And that advice works: the subset needs no network, and a file put there by hand is found.
    assert len(data.fashion_mnist("test")[1]) == 2000
    for name, content in CONTENT.items():
        (cache / name).write_bytes(content)
    assert len(data.fashion_mnist("test", full=True)[1]) == 200


def test_silence_ends(server, monkeypatch):
    monkeypatch.setattr(_download, "TIMEOUT", 0.05)
    server.plan = [{"delay": 0.5}] * 20
    with pytest.raises(data.DownloadError, match="no answer within"):
        _download.fetch(LABELS)


def test_no_such_server(monkeypatch):
    # "invalid" is reserved: no resolver may know it (RFC 6761).
    monkeypatch.setenv("DLCOURSE_FASHION_MNIST_URL", "http://dlcourse.invalid")
    with pytest.raises(data.DownloadError, match="no network, or no such server"):
        _download.fetch(LABELS)


def test_addresses_other_than_http_are_refused(tmp_path, monkeypatch):
    (tmp_path / LABELS).write_bytes(CONTENT[LABELS])
    monkeypatch.setenv("DLCOURSE_FASHION_MNIST_URL", tmp_path.as_uri())
    with pytest.raises(data.DownloadError, match="http://"):
        _download.fetch(LABELS)


def test_a_server_that_never_stops_does_not_fill_the_disk(server, cache, monkeypatch):
    monkeypatch.setattr(_download, "MAX_BYTES", 100_000)
    with pytest.raises(data.DownloadError, match="far more than"):
        _download.fetch(IMAGES)
    assert (cache / f"{IMAGES}.part").stat().st_size <= 100_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, a file that is always full")
def test_a_full_disk_is_called_by_its_name(server, cache):
    cache.mkdir()
    (cache / f"{IMAGES}.part").symlink_to("/dev/full")
    with pytest.raises(data.DownloadError, match="the disk is full"):
        _download.fetch(IMAGES)


def test_a_cache_that_cannot_be_written(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("DLCOURSE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(data.DownloadError, match="cannot write to"):
        _download.fetch(IMAGES)


def test_two_processes_at_once_download_once(server, cache):
    server.plan = [{"delay": 0.5}]
    code = (
        "import json, sys; from pathlib import Path; from dlcourse import _download\n"
        "_download.DEBIAN_FOLDER = Path('nowhere')\n"
        "_download.FILES[sys.argv[1]] = (sys.argv[2], '')\n"
        "data = _download.fetch(sys.argv[1]); print(len(data))"
    )
    command = [sys.executable, "-c", code, IMAGES, hashlib.sha256(CONTENT[IMAGES]).hexdigest()]
    root = Path(__file__).resolve().parent.parent
    running = [
        subprocess.Popen(command, cwd=root, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    assert [out.split()[-1] for out, _ in outputs] == [str(len(CONTENT[IMAGES]))] * 2
    assert sum("Downloading" in out for out, _ in outputs) == 1
    assert server.requests == [(IMAGES, None)]
    assert (cache / IMAGES).read_bytes() == CONTENT[IMAGES]


def test_two_threads_at_once_download_once(server):
    server.plan = [{"delay": 0.2}]
    results = []
    threads = [threading.Thread(target=lambda: results.append(_download.fetch(IMAGES))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [CONTENT[IMAGES]] * 2
    assert len(server.requests) == 1


def test_without_a_choice_the_cache_is_the_user_s(monkeypatch):
    monkeypatch.delenv("DLCOURSE_CACHE")
    folder = _download.cache_dir()
    assert folder.is_absolute() and "dlcourse" in folder.parts
    monkeypatch.setenv("DLCOURSE_CACHE", "~/there")
    assert _download.cache_dir() == Path.home() / "there"


@pytest.mark.slow
def test_the_published_files_hold_the_same_images_as_debian_s(server, tmp_path, monkeypatch):
    """Debian's gzip headers lack name and time; with them put back, the files have the published SHA-256."""
    monkeypatch.undo()
    if not _download.DEBIAN_FOLDER.is_dir():
        pytest.skip("the origin is not here: Debian's package dataset-fashion-mnist")
    for name in _download.FILES:
        packed = (_download.DEBIAN_FOLDER / name).read_bytes()
        when = 1504176627 if name.startswith("t10k") else 1504176606  # 31 August 2017
        header = b"\x1f\x8b\x08\x08" + struct.pack("<I", when) + b"\x00\x03" + name.removesuffix(".gz").encode() + b"\0"
        server.content[name] = header + packed[10:]
        assert hashlib.sha256(server.content[name]).hexdigest() == _download.FILES[name][0]
    expected = data.fashion_mnist("train", full=True)
    assert expected[0].shape == (60_000, 1, 28, 28) and expected[1].bincount().tolist() == [6000] * 10
    assert server.requests == []

    monkeypatch.setattr(_download, "DEBIAN_FOLDER", tmp_path / "nowhere")
    monkeypatch.setenv("DLCOURSE_CACHE", str(tmp_path / "whole"))
    monkeypatch.setenv("DLCOURSE_FASHION_MNIST_URL", server.url)
    server.plan = [{"stop": 10_000_000}]
    images, labels = data.fashion_mnist("train", full=True)
    assert torch.equal(images, expected[0]) and torch.equal(labels, expected[1])
    assert server.requests[1] == ("train-images-idx3-ubyte.gz", "bytes=10000000-")
