"""The course's datasets, ready without a network: `from dlcourse import data`.

`ames()` and `titanic()` are pandas frames; `fashion_mnist()` gives tensors, `fashion_mnist_loader()` batches,
and `FashionMNIST` a `d2l.DataModule`. `FashionScenes` is a dataset of pictures with boxes and masks, `scene_batch`
puts them into batches, and `FashionScenesModule` is their `d2l.DataModule`. The cards in `datasets/` say where the
data come from, what each column means and what to beware of. pandas, torch and d2l are imported only when something
here needs them.
"""

from __future__ import annotations

import hashlib
import importlib
import io
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from dlcourse._download import DataError, DownloadError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import numpy as np
    import pandas as pd
    from torch import Tensor
    from torch.utils.data import DataLoader

# Without the names in _LATER, for which `import *` would otherwise import torch and d2l.
__all__ = [
    "FASHION_LABELS",
    "SCENE_LABELS",
    "DataError",
    "DownloadError",
    "ames",
    "fashion_mnist",
    "fashion_mnist_loader",
    "titanic",
]

FASHION_LABELS = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
"""Name of each Fashion-MNIST class; the label is the index."""

SCENE_LABELS = ("background", *FASHION_LABELS)
"""Name of each class of Fashion scenes; the label is the index, so an article's is one more than in Fashion-MNIST."""

# Where the classes and functions are that need torch or d2l (5 s of CPU), which a lesson on tables should not pay for.
_LATER = {
    "FashionMNIST": "dlcourse.datamodules",
    "FashionScenes": "dlcourse.scenes",
    "FashionScenesModule": "dlcourse.datamodules",
    "scene_batch": "dlcourse.scenes",
}


def ames() -> pd.DataFrame:
    """Return 2,930 house sales in Ames, Iowa, 2006 to 2010: one row a sale, 82 columns, a fresh frame each call.

    The usual target is `price` (US dollars); areas end in `SF` or `Area` or are called `area` (square feet),
    `Lot.Frontage` is in feet. 28 columns are int64, 11 float64 (numbers of which some are missing) and 43 text,
    pandas' own type for strings. The card `datasets/ames.md` lists them all.

    NaN has two meanings. In 15 text columns it says that the house has no such thing: `Alley`, `Mas.Vnr.Type`,
    `Bsmt.Qual`, `Bsmt.Cond`, `Bsmt.Exposure`, `BsmtFin.Type.1`, `BsmtFin.Type.2`, `Fireplace.Qu`, `Garage.Type`,
    `Garage.Finish`, `Garage.Qual`, `Garage.Cond`, `Pool.QC`, `Fence`, `Misc.Feature`. Elsewhere it means
    unknown (and in `Garage.Yr.Blt` again that there is no garage). Words such as "NA" and "None" would stay
    words; the file has none.

    Raises DataError if the file is missing or damaged.
    """
    return _frame("ames.csv")


def titanic() -> pd.DataFrame:
    """Return the 1,309 passengers of the Titanic: one row a person, a fresh frame each call.

    Columns: `name` (text), `survived` ("yes" or "no"), `sex` ("female" or "male"), `age` (float64, years, NaN
    for the 263 people whose age is unknown), `passengerClass` ("1st", "2nd" or "3rd").

    Raises DataError if the file is missing or damaged.
    """
    return _frame("titanic.csv")


def fashion_mnist(split: str = "train", *, full: bool = False) -> tuple[Tensor, Tensor]:
    """Return images, float32 (n, 1, 28, 28) in [0, 1], and labels, int64 (n,), of "train" or "test".

    n is 12,000 or 2,000, equally many of each class in FASHION_LABELS. With `full` it is 60,000 or 10,000:
    downloaded at the first call (about 26 or 4 MB), then kept in the folder named by the environment variable
    DLCOURSE_CACHE, or in the user's cache folder. The tensors are fresh at each call.

    Raises ValueError for another split, DataError if the embedded file is missing or damaged, DownloadError if
    the full set cannot be had.
    """
    import torch

    images, labels = (torch.from_numpy(array) for array in _fashion_arrays(split, full))
    return images.to(torch.float32).div_(255).unsqueeze_(1), labels.to(torch.int64)


def fashion_mnist_loader(
    split: str = "train",
    batch_size: int = 256,
    *,
    shuffle: bool | None = None,
    seed: int | None = None,
    full: bool = False,
) -> DataLoader:
    """Return a DataLoader of batches: images, float32 (b, 1, 28, 28) in [0, 1], and labels, int64 (b,).

    `shuffle` defaults to True for "train" and False for "test"; shuffling differs from epoch to epoch. With
    `seed` the sequence of epochs is the same in every run; without, it follows `torch.manual_seed`. The last
    batch may be smaller. Raises what `fashion_mnist` raises.
    """
    from dlcourse._tensors import ImageDataset, image_loader, seeded_generator

    dataset = ImageDataset(*fashion_mnist(split, full=full))
    if shuffle is None:
        shuffle = split == "train"
    return image_loader(dataset, batch_size, shuffle=shuffle, generator=seeded_generator(seed))


def __getattr__(name: str):
    if name in _LATER:
        value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


def _fashion_arrays(split: str, full: bool) -> tuple[np.ndarray, np.ndarray]:
    if split not in ("train", "test"):
        raise ValueError(
            f"split must be 'train' or 'test', not {split!r}. Fashion-MNIST has no validation split: set some of the "
            "training images aside for it, for example with torch.utils.data.random_split."
        )
    if full:
        from dlcourse._download import whole_fashion_mnist

        return whole_fashion_mnist(split)
    import numpy as np

    with np.load(io.BytesIO(_embedded("fashion_mnist.npz")), allow_pickle=False) as archive:
        return archive[f"{split}_images"], archive[f"{split}_labels"]


def _frame(name: str) -> pd.DataFrame:
    import pandas as pd

    # Only an empty field is missing: by default pandas also swallows words such as "NA" and "None", which are
    # perfectly good categories.
    table = io.BytesIO(_embedded(name))
    return pd.read_csv(table, keep_default_na=False, na_values=[""], encoding="utf-8")


def _datasets_folder() -> Traversable:
    """Return the folder of the data files: inside the installed package, or beside it in a checkout."""
    installed = resources.files("dlcourse") / "_datasets"
    return installed if installed.is_dir() else Path(__file__).resolve().parent.parent / "datasets"


def _embedded(name: str) -> bytes:
    """Return the bytes of a file in `datasets/` after comparing them with their recorded SHA-256 (a few ms)."""
    folder = _datasets_folder()
    cure = f"Restore it with `git checkout -- datasets/{name}` in a clone, or install the course package again."
    try:
        recorded = (folder / "checksums.sha256").read_text(encoding="utf-8")
        data = (folder / name).read_bytes()
    except OSError as error:
        raise DataError(f"The data file {folder / name} cannot be read ({error.strerror or error}). {cure}") from None
    expected = dict(reversed(line.split()) for line in recorded.splitlines()).get(name)
    if hashlib.sha256(data).hexdigest() != expected:
        raise DataError(f"The data file {folder / name} is damaged: it is not what its checksum says. {cure}")
    return data
