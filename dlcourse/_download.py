"""The whole Fashion-MNIST: fetched once, verified, kept in a per-user cache.

Nothing is used before its SHA-256 has been compared with the recorded one: the bytes that were hashed are
the bytes that are decoded. An interrupted transfer leaves `NAME.part` behind, and the next one asks only
for the rest.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import socket
import struct
import time
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    import numpy as np

FASHION_MNIST_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
# Where Debian's package `dataset-fashion-mnist` puts the same four files.
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

SPLIT_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
# SHA-256 of the file as published, then of Debian's copy: the same deflate stream, but its gzip header has
# neither name nor time, so it is 23 or 24 bytes shorter.
FILES = {
    "train-images-idx3-ubyte.gz": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    ),
    "train-labels-idx1-ubyte.gz": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    ),
    "t10k-images-idx3-ubyte.gz": (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
    ),
}

TIMEOUT = 20.0  # seconds without a byte from the server
LOCK_TIMEOUT = 600.0  # seconds to wait for another process that is downloading the same file
ATTEMPTS = 4  # failures in a row, none of which brought anything new
MAX_REQUESTS = 20  # however much progress each of them made
PAUSE = 0.5  # seconds before the second attempt, doubled each time
MAX_BYTES = 100_000_000  # no file comes near this: a server that sends more is not to fill the disk
BLOCK = 1 << 16


class DataError(RuntimeError):
    """A dataset's file is missing or damaged; the message says which one and how to mend it."""


class DownloadError(DataError):
    """The whole dataset could not be fetched; the message says why and what to do instead."""


class _Failure(Exception):
    """Why one attempt failed; `final` if trying again is no use."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def cache_dir() -> Path:
    """Return the folder for downloads: `$DLCOURSE_CACHE`, or this platform's cache folder for the user."""
    if chosen := os.environ.get("DLCOURSE_CACHE"):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("dlcourse", appauthor=False)


def whole_fashion_mnist(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return all images, uint8 (n, 28, 28), and labels, uint8 (n,), of `split`, downloading what is not here yet.

    Raises DownloadError if the files are neither here nor to be had.
    """
    images, labels = (read_idx(fetch(name)) for name in SPLIT_FILES[split])
    return images, labels


def read_idx(compressed: bytes) -> np.ndarray:
    """Decode a gzipped IDX file of bytes: a header of big-endian sizes, then the values in C order."""
    import numpy as np

    data = gzip.decompress(compressed)
    ndim = data[3]
    shape = struct.unpack_from(f">{ndim}I", data, 4)
    # A bytearray, since an array over immutable bytes cannot become a tensor without a warning.
    return np.frombuffer(bytearray(data[4 + 4 * ndim :]), dtype=np.uint8).reshape(shape)


def fetch(name: str) -> bytes:
    """Return the verified bytes of the file `name` (a key of FILES): cached, Debian's, or freshly downloaded.

    Raises DownloadError, always with a reason and a way out.
    """
    folder = cache_dir()
    for place in (folder, DEBIAN_FOLDER):
        if (data := verified(place / name)) is not None:
            return data

    from filelock import FileLock, Timeout

    base = os.environ.get("DLCOURSE_FASHION_MNIST_URL") or FASHION_MNIST_URL
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock", timeout=LOCK_TIMEOUT):
            # Whoever held the lock may have finished the work.
            if (data := verified(folder / name)) is not None:
                return data
            # To stdout: a test cell that writes to stderr gets no points from nbgrader.
            print(f"Downloading {name} to {folder} (once)", flush=True)
            part = folder / f"{name}.part"
            data = _download(f"{base.rstrip('/')}/{name}", part)
            os.replace(part, folder / name)
            return data
    except _Failure as failure:
        reason = str(failure)
    except Timeout:
        reason = f"another process has been downloading it for over {LOCK_TIMEOUT:.0f} s"
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
        reason = "the disk is full" if full else f"cannot write to {folder} ({error.strerror or error})"
    if (folder / name).exists():
        reason += f", and the {name} in the cache is not the original"
    raise DownloadError(
        f"Could not get {name} from {base}: {reason}. Work with the embedded subset (leave out full=True), "
        f"or put the file into {folder} yourself: a copy with the SHA-256 {FILES[name][0]}."
    )


def verified(path: Path) -> bytes | None:
    """Return the bytes of `path` if its name and SHA-256 are in FILES, else None."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if _is_original(data, path.name) else None


def _is_original(data: bytes, name: str) -> bool:
    return hashlib.sha256(data).hexdigest() in FILES[name]


def _download(url: str, part: Path) -> bytes:
    """Fill `part` from `url` in as many requests as it takes; return its verified bytes or raise _Failure."""
    if not url.startswith(("http://", "https://")):
        raise _Failure("the address in DLCOURSE_FASHION_MNIST_URL does not start with http:// or https://", final=True)
    failures = most = 0
    for _ in range(MAX_REQUESTS):
        before = _size(part)
        try:
            _transfer(url, part, before)
            data = part.read_bytes()
            if _is_original(data, part.stem):
                return data
            part.unlink()
            # The start may be left from another server, so a resumed file gets one more chance, from scratch.
            raise _Failure(
                "what arrived is not the original file: its SHA-256 is wrong (a damaged mirror, or the sign-in page "
                "of a network?)",
                final=before == 0,
            )
        except _Failure as failure:
            last = failure
        if last.final:
            break
        # A slow line that breaks often still gets there: only attempts that bring nothing new count.
        size = _size(part)
        failures = 0 if size > most else failures + 1
        most = max(most, size)
        if failures >= ATTEMPTS:
            break
        time.sleep(PAUSE * 2 ** (failures - 1))
    raise last


def _transfer(url: str, part: Path, have: int) -> None:
    """Make one request for what follows the first `have` bytes and write it to `part`.

    Network trouble is raised as _Failure; an OSError is the disk's.
    """
    headers = {"User-Agent": "dlcourse", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 416 and have:
            return  # there is nothing after `have`: either the file is whole or the checksum will tell
        busy = error.code >= 500 or error.code in (408, 429)
        raise _Failure(f"the server answered {error.code} {error.reason}", final=not busy) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _Failure(_network_reason(error)) from None

    with response:
        resumed = response.status == 206
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink(missing_ok=True)
            raise _Failure("the server sent another part than the one asked for")
        announced = response.headers.get("Content-Length")
        received = 0
        # A server that does not know Range answers 200 with everything, so everything is written anew.
        with open(part, "ab" if resumed else "wb") as file:
            while block := _read(response):
                received += len(block)
                if file.tell() + len(block) > MAX_BYTES:
                    raise _Failure("the server sends far more than the file's size", final=True)
                file.write(block)
        # Before Python 3.13 read(n) takes a connection that closed early for the end of the body.
        if announced is not None and received < int(announced):
            raise _Failure(f"the connection broke off after {received:,} of {int(announced):,} bytes")


def _read(response) -> bytes:
    try:
        return response.read(BLOCK)
    except (OSError, HTTPException) as error:
        raise _Failure(_network_reason(error)) from None


def _network_reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ConnectionRefusedError):
        return "the server refused the connection"
    if isinstance(cause, socket.gaierror):
        return "no network, or no such server"
    if isinstance(cause, TimeoutError):
        return f"no answer within {TIMEOUT:.0f} s"
    return f"the connection failed ({cause!r})"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
