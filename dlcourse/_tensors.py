"""Images in memory behind a torch DataLoader that takes whole batches at once."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset


class ImageDataset(TensorDataset):
    """Images, float32 (n, 1, 28, 28), with their labels, int64 (n,); `resize` gives (height, width) in pixels.

    Resizing is done as images are taken out: 12,000 of them at 224 x 224 would not fit in memory.
    """

    def __init__(self, images: Tensor, labels: Tensor, resize: tuple[int, int] | None = None) -> None:
        super().__init__(images, labels)
        self.resize = None if resize is None or tuple(resize) == tuple(images.shape[-2:]) else tuple(resize)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one image, (1, height, width), and its label, a tensor without axes."""
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return a batch, (b, 1, height, width) and (b,), in one step: the DataLoader asks for it if it is there."""
        chosen = torch.as_tensor(indices)
        images, labels = (tensor[chosen] for tensor in self.tensors)
        if self.resize is not None:
            images = functional.interpolate(images, self.resize, mode="bilinear", antialias=True)
        return images, labels


def as_it_is(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Stand in for the DataLoader's collate function: the dataset has made a batch already."""
    return batch


def image_loader(
    dataset: ImageDataset, batch_size: int, *, shuffle: bool, generator: torch.Generator | None = None
) -> DataLoader:
    """Return a DataLoader over `dataset` in this process; without `generator` the order is torch's global one."""
    return DataLoader(
        dataset, batch_size=batch_size, shuffle=shuffle, num_workers=0, collate_fn=as_it_is, generator=generator
    )


def seeded_generator(seed: int | None) -> torch.Generator | None:
    """Return a generator of its own for `seed`, or None for torch's global one."""
    return None if seed is None else torch.Generator().manual_seed(seed)
