"""Fashion scenes, a torch dataset for detection and segmentation made from a seed: see `dlcourse.data`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dlcourse._compose import Recipe, compose

DIFFICULTIES = {
    "easy": Recipe(items=(1, 2), item_size=(32, 48), overlap=0, contrast=220, light=100, clear=True),
    "normal": Recipe(items=(1, 4), item_size=(28, 48), overlap=250, contrast=200, light=120, clear=True),
    "hard": Recipe(items=(4, 8), item_size=(12, 32), overlap=600, contrast=60, fade=70, clutter=(2, 5), noise=12),
}
DEFAULT_NUMBER = {"train": 2000, "test": 400}
MOST_ITEMS = 50
MOST_OVERLAP = 0.75  # so a quarter of every item is to be seen
LONGEST_SIDE = 512
MOST_BYTES = 1_000_000_000


class FashionScenes(Dataset):
    """Pictures of coloured articles before a photograph, each with its class, its box and its visible pixels.

    `scenes[i]` is (image, target): the image float32 (3, height, width) in [0, 1], the target a dict of

    - `boxes`, float32 (k, 4): x1, y1, x2, y2 in pixels, tight around what is visible. x2 and y2 are the first
      column and row after it, so a box is x2 - x1 wide.
    - `labels`, int64 (k,): 1 to 10, index into `dlcourse.data.SCENE_LABELS`.
    - `masks`, bool (k, height, width): the visible pixels of each item. No pixel belongs to two of them.
    - `semantic`, int64 (height, width): 0 for background, else the class of the item seen there.

    Items stand in the order in which they were laid down: a later one hides what lies below it. `images`, uint8
    (n, 3, height, width), and `semantic`, uint8 (n, height, width), hold the whole set; `targets` is the sequence of
    targets. `sources` says which image of Fashion-MNIST each item of a scene is, `tiles` which part of which photograph
    lies behind a scene.

    `split` "train" is made of the embedded training images of Fashion-MNIST, "test" of its test images, before other
    parts of the photographs. `n` defaults to 2,000 or 400. `size` is (height, width) in pixels, or one number for a
    square. `difficulty` is "easy", "normal" or "hard"; `items` (how many, from and to), `item_size` (longer side in
    pixels, from and to) and `overlap` (the largest share of an item that others may hide, 0 to 0.75) change one thing.
    The same arguments give the same scenes everywhere, and scene i does not depend on n.

    Raises ValueError for what cannot be made, DataError if an embedded file is missing or damaged.
    """

    def __init__(
        self,
        split: str = "train",
        n: int | None = None,
        *,
        size: int | tuple[int, int] = (96, 96),
        seed: int = 0,
        difficulty: str = "normal",
        items: tuple[int, int] | None = None,
        item_size: tuple[int, int] | None = None,
        overlap: float | None = None,
    ) -> None:
        """Make all n scenes: about a second for a thousand of 96 x 96 pixels."""
        if split not in DEFAULT_NUMBER:
            raise ValueError(
                f"split must be 'train' or 'test', not {split!r}. For validation while you choose a model, make "
                "training scenes with another seed: they share no scene with yours, and the test scenes stay unseen."
            )
        self.split, self.seed, self.difficulty = split, _whole("seed", seed, 0, 2**63 - 1), difficulty
        height, width = self.size = _size(size)
        self.recipe = _recipe(difficulty, items, item_size, overlap, self.size)
        n = DEFAULT_NUMBER[split] if n is None else n
        # Five bytes a pixel are kept: three colours, the item, the class.
        n = _whole("n, the number of scenes,", n, 1, MOST_BYTES // (5 * height * width))

        images = np.empty((n, 3, height, width), np.uint8)
        owner = np.empty((n, height, width), np.uint8)
        semantic = np.empty_like(owner)
        self.sources: list[tuple[int, ...]] = []
        self.tiles: list[tuple[int, int]] = []
        self._boxes: list[Tensor] = []
        self._labels: list[Tensor] = []
        for i, scene in enumerate(compose(split, self.seed, self.recipe, height, width, 0, n)):
            images[i], owner[i] = scene.image, scene.owner
            semantic[i] = np.array((0, *scene.labels), np.uint8)[scene.owner]
            self._boxes.append(torch.tensor(scene.boxes(), dtype=torch.float32))
            self._labels.append(torch.tensor(scene.labels))
            self.sources.append(scene.sources)
            self.tiles.append(scene.tile)
        self.images, self.semantic = torch.from_numpy(images), torch.from_numpy(semantic)
        self._owner = torch.from_numpy(owner)

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the image, float32 in [0, 1], and the target of a scene; both are fresh tensors."""
        return self.images[index].to(torch.float32).div_(255), self._target(index)

    @property
    def targets(self) -> Sequence[dict[str, Tensor]]:
        """The targets of all scenes, made as they are asked for (all masks together would fill the memory)."""
        return _Targets(self)

    def for_segmentation(self) -> Dataset:
        """Return a dataset of (image, semantic) in place of (image, target): any DataLoader makes batches of it."""
        return _Segmentation(self)

    def _target(self, index: int) -> dict[str, Tensor]:
        owner, labels = self._owner[index], self._labels[index]
        numbers = torch.arange(1, len(labels) + 1, dtype=torch.uint8)
        return {
            "boxes": self._boxes[index].clone(),
            "labels": labels.clone(),
            "masks": owner == numbers[:, None, None],
            "semantic": self.semantic[index].to(torch.int64),
        }


class _Targets(Sequence):
    def __init__(self, scenes: FashionScenes) -> None:
        self._scenes = scenes

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self._scenes._target(i) for i in range(*index.indices(len(self)))]
        return self._scenes._target(index)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return (self._scenes._target(index) for index in range(len(self)))


class _Segmentation(Dataset):
    def __init__(self, scenes: FashionScenes) -> None:
        self.scenes = scenes

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        scenes = self.scenes
        return scenes.images[index].to(torch.float32).div_(255), scenes.semantic[index].to(torch.int64)


def scene_batch(batch: Sequence[tuple[Tensor, dict[str, Tensor]]]) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Return the images of a batch, (b, 3, height, width), and the list of its targets: `collate_fn=scene_batch`.

    Scenes hold different numbers of items, so their boxes and masks cannot be stacked.
    """
    images, targets = zip(*batch, strict=True)
    return torch.stack(images), list(targets)


def draw_boxes(image: Tensor, boxes: Tensor, colour: tuple[float, float, float] = (1, 1, 1)) -> Tensor:
    """Return a copy of a float image (3, height, width) with boxes (k, 4) drawn along the pixels just inside them."""
    image = image.clone()
    paint = torch.tensor(colour, dtype=image.dtype)[:, None]
    for x1, y1, x2, y2 in boxes.round().to(torch.int64).tolist():
        image[:, [y1, y2 - 1], x1:x2] = paint[:, None]
        image[:, y1:y2, [x1, x2 - 1]] = paint[:, None]
    return image


def _whole(name: str, value: int, low: int, high: int) -> int:
    # True is an int, and a tensor or numpy integer is welcome.
    try:
        number = None if isinstance(value, bool) else value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None or not low <= number <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return number


def _size(size: int | tuple[int, int]) -> tuple[int, int]:
    pair = (size, size) if not isinstance(size, Sequence) else tuple(size)
    if len(pair) != 2:
        raise ValueError(f"size must be one number of pixels or (height, width), not {size!r}.")
    return tuple(
        _whole(f"the {side} in size", s, 1, LONGEST_SIDE) for side, s in zip(("height", "width"), pair, strict=True)
    )


def _pair(name: str, value: tuple[int, int], low: int, high: int) -> tuple[int, int]:
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ValueError(f"{name} must be two whole numbers, the least and the most, such as (2, 5), not {value!r}.")
    least, most = (_whole(f"each number in {name}", v, low, high) for v in value)
    if least > most:
        raise ValueError(f"{name} must be the least and then the most, not {value!r}: {least} is more than {most}.")
    return least, most


def _recipe(difficulty, items, item_size, overlap, size: tuple[int, int]) -> Recipe:
    """Return the difficulty's recipe with what the caller wants otherwise, or say why it cannot be."""
    if not isinstance(difficulty, str) or difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be one of {', '.join(map(repr, DIFFICULTIES))}, not {difficulty!r}.")
    recipe, changes = DIFFICULTIES[difficulty], {}
    if items is not None:
        changes["items"] = _pair("items", items, 1, MOST_ITEMS)
    if item_size is not None:
        changes["item_size"] = _pair("item_size", item_size, 8, LONGEST_SIDE)
    if overlap is not None:
        if isinstance(overlap, bool) or not isinstance(overlap, (int, float)) or not 0 <= overlap <= MOST_OVERLAP:
            raise ValueError(
                f"overlap must be a number from 0 to {MOST_OVERLAP}, not {overlap!r}: the share of an item that others "
                "may hide. A quarter of every item stays visible, or nobody could say what it is."
            )
        changes["overlap"] = round(overlap * 1000)
    recipe = Recipe(**{**vars(recipe), **changes})
    if recipe.item_size[1] > min(size):
        raise ValueError(
            f"The canvas of {size[0]} x {size[1]} pixels is too small for items of up to {recipe.item_size[1]} pixels: "
            f"make size larger, or give item_size=(least, most) with most at most {min(size)}."
        )
    return recipe
