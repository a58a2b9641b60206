"""Fashion-MNIST as a `d2l.DataModule`. Importing this costs seconds of CPU: `dlcourse.data` does so on demand."""

from __future__ import annotations

try:
    from d2l import torch as d2l
except ModuleNotFoundError as error:
    if error.name != "d2l":
        raise
    raise ImportError(
        "FashionMNIST is built on the d2l package, which is missing here. Install it without its outdated pins: "
        "pip install --no-deps d2l==1.0.3"
    ) from None

from collections.abc import Iterable, Sequence

from torch import Tensor
from torch.utils.data import DataLoader

from dlcourse._tensors import ImageDataset, image_loader, seeded_generator
from dlcourse.data import FASHION_LABELS, fashion_mnist


class FashionMNIST(d2l.DataModule):
    """Fashion-MNIST for `d2l.Trainer`, from the embedded subset unless `full`.

    `train` and `val` are datasets of (image, label); `val` is the test split, as in D2L. A batch is float32
    (b, 1, height, width) in [0, 1] with int64 (b,). `resize` is (height, width) in pixels, bilinear with
    antialiasing. With `seed` the order of training batches repeats from run to run; without it, it follows
    `torch.manual_seed`.

    Raises ImportError (with the cure) without d2l, DataError and DownloadError like `fashion_mnist`.
    """

    def __init__(
        self,
        batch_size: int = 64,
        resize: tuple[int, int] = (28, 28),
        *,
        full: bool = False,
        seed: int | None = None,
    ) -> None:
        """Load both splits into memory."""
        super().__init__(num_workers=0)
        self.save_hyperparameters()
        self.train = ImageDataset(*fashion_mnist("train", full=full), resize)
        self.val = ImageDataset(*fashion_mnist("test", full=full), resize)
        # Made once: a new one for each loader would repeat the first epoch's order.
        self._generator = seeded_generator(seed)

    def get_dataloader(self, train: bool) -> DataLoader:
        """Return a loader of the training images, reshuffled each epoch, or of the validation images in order."""
        return image_loader(
            self.train if train else self.val,
            self.batch_size,
            shuffle=train,
            generator=self._generator if train else None,
        )

    def text_labels(self, indices: Iterable[int]) -> list[str]:
        """Return the names of the classes with these numbers."""
        return [FASHION_LABELS[int(index)] for index in indices]

    def visualize(
        self, batch: tuple[Tensor, Tensor], nrows: int = 1, ncols: int = 8, labels: Sequence[str] = ()
    ) -> None:
        """Draw the first nrows x ncols images of a batch, titled with `labels` or else their class names."""
        images, classes = batch
        d2l.show_images(images.squeeze(1), nrows, ncols, titles=labels or self.text_labels(classes))
