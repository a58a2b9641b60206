"""The `d2l.DataModule`s. Importing this costs seconds of CPU: `dlcourse.data` does so on demand."""

from __future__ import annotations

try:
    from d2l import torch as d2l
except ModuleNotFoundError as error:
    if error.name != "d2l":
        raise
    raise ImportError(
        "FashionMNIST and FashionScenesModule need the d2l package, which is missing here. Install it without its "
        "outdated pins: pip install --no-deps d2l==1.0.3"
    ) from None

from collections.abc import Iterable, Sequence

from torch import Tensor
from torch.utils.data import DataLoader

from dlcourse._tensors import ImageDataset, image_loader, seeded_generator
from dlcourse.data import FASHION_LABELS, SCENE_LABELS, fashion_mnist
from dlcourse.scenes import FashionScenes, draw_boxes, scene_batch


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


class FashionScenesModule(d2l.DataModule):
    """Fashion scenes for `d2l.Trainer`: `train` and `val` are `FashionScenes` of the splits "train" and "test".

    A batch is images, float32 (b, 3, height, width) in [0, 1], with, for `target` "objects", a list of b dicts of
    boxes, labels, masks and semantic (see `FashionScenes`), or, for "semantic", the class of each pixel, int64
    (b, height, width). `n` is the number of scenes to train on and of those to validate on; `size`, `difficulty`
    and further options go to `FashionScenes`. `seed` is that of the scenes; the order of the training batches follows
    `torch.manual_seed`, or `order_seed` if there is one.

    Raises ImportError (with the cure) without d2l, ValueError and DataError like `FashionScenes`.
    """

    def __init__(
        self,
        batch_size: int = 32,
        n: tuple[int, int] = (2000, 400),
        *,
        target: str = "objects",
        seed: int = 0,
        order_seed: int | None = None,
        **options,
    ) -> None:
        """Make the scenes of both splits."""
        super().__init__(num_workers=0)
        if target not in ("objects", "semantic"):
            raise ValueError(
                f"target must be 'objects' (a list of dicts) or 'semantic' (the class of each pixel), not {target!r}."
            )
        self.save_hyperparameters()
        self.train = FashionScenes("train", n[0], seed=seed, **options)
        self.val = FashionScenes("test", n[1], seed=seed, **options)
        self._generator = seeded_generator(order_seed)

    def get_dataloader(self, train: bool) -> DataLoader:
        """Return a loader of the training scenes, reshuffled each epoch, or of the validation scenes in order."""
        scenes = self.train if train else self.val
        if self.target == "semantic":
            scenes = scenes.for_segmentation()
        return DataLoader(
            scenes,
            batch_size=self.batch_size,
            shuffle=train,
            collate_fn=scene_batch if self.target == "objects" else None,
            generator=self._generator if train else None,
        )

    def text_labels(self, indices: Iterable[int]) -> list[str]:
        """Return the names of the classes with these numbers; 0 is the background."""
        return [SCENE_LABELS[int(index)] for index in indices]

    def visualize(self, batch: tuple[Tensor, Sequence], nrows: int = 1, ncols: int = 4) -> None:
        """Draw the first scenes of a batch with their boxes, or with the classes of their pixels beside."""
        images, targets = batch
        pictures = []
        for image, target in zip(images, targets, strict=True):
            if isinstance(target, dict):
                pictures.append(draw_boxes(image, target["boxes"]))
            else:
                pictures += [image, (target / 10).expand(3, -1, -1)]
        pictures = [picture.permute(1, 2, 0) for picture in pictures[: nrows * ncols]]
        d2l.show_images(pictures, -(-len(pictures) // ncols), ncols)
