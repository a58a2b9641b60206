"""Draws the pictures of `dlcourse.scenes` with numpy: silhouettes, backgrounds, and items that hide each other.

Whole numbers only, and random ones straight from a bit generator: both are the same on every machine and in every
version of numpy, which floating-point resampling and `Generator.integers` are not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dlcourse import data

TILE = 53  # side of the squares into which the photographs are cut: each belongs to one split
THRESHOLD = 20  # grey levels above which a pixel of Fashion-MNIST belongs to the article
SEE_THROUGH = (5, 8)  # classes whose larger holes one looks through: sandal, bag. Elsewhere a hole is a pale print.
LEAST_AREA = 70  # pixels of 784 that a usable silhouette has

PALETTE = (
    (236, 84, 76), (240, 140, 62), (244, 206, 84), (170, 210, 84), (84, 196, 112), (84, 206, 196), (92, 168, 240),
    (156, 122, 226), (228, 116, 190), (244, 178, 188), (230, 214, 178), (240, 240, 236), (180, 186, 194),
    (58, 128, 76), (62, 84, 178), (150, 104, 70), (120, 60, 96), (62, 62, 72),
)  # fmt: skip
"""Colours of the articles, red, green, blue; each article draws one whatever its class."""
BRIGHT = 13  # so many colours of the palette stand out from a dark background

_POWERS = np.uint32(1) << np.arange(1, 29, dtype=np.uint32)

# Brightness of an article's colour, in 256ths, for each grey level of Fashion-MNIST.
_SHADES = 96 + np.arange(256, dtype=np.int32) * 160 // 255
_MEAN_SHADE = 190


@dataclass(frozen=True)
class Recipe:
    """How scenes are made: numbers of pixels, 256ths for `fade`, and `overlap` in thousandths of an item."""

    items: tuple[int, int]  # how many articles, from and to
    item_size: tuple[int, int]  # the longer side of an article
    overlap: int  # as much of an article may be hidden by others
    contrast: int  # sum of the differences in red, green and blue that is tried for
    fade: int = 0  # how much of the background's mean colour is mixed into an article's
    clutter: tuple[int, int] = (0, 0)  # how many shapes without a class lie about
    noise: int = 0  # grey levels added or taken away at random, at most
    light: int = 256  # brightness of the background, in 256ths of the photograph's
    clear: bool = False  # only articles that look like their class, in one of the brighter colours


@dataclass(frozen=True)
class Scene:
    """One picture, uint8 (3, H, W); which item is seen at each pixel, 0 for none; class and source of each item."""

    image: np.ndarray
    owner: np.ndarray
    labels: tuple[int, ...]  # 1 to 10
    sources: tuple[int, ...]  # which image of Fashion-MNIST's split
    tile: tuple[int, int]  # photograph and square of the background

    def boxes(self) -> list[tuple[int, int, int, int]]:
        """Return x1, y1, x2, y2 of the visible pixels of each item, x2 and y2 exclusive."""
        found = []
        for number in range(1, len(self.labels) + 1):
            visible = self.owner == number
            rows, columns = (np.flatnonzero(visible.any(axis=axis)).tolist() for axis in (1, 0))
            found.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        return found


class Draws:
    """Whole numbers from PCG64's raw output, the part of numpy's random numbers that never changes."""

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(list(key))
        self._next = iter(())

    def below(self, bound: int) -> int:
        """Return a number from 0 to bound - 1."""
        raw = next(self._next, None)
        if raw is None:
            self._next = iter(self._bits.random_raw(128).tolist())
            raw = next(self._next)
        return (raw >> 32) * bound >> 32

    def between(self, low: int, high: int) -> int:
        """Return a number from low to high, both possible."""
        return low + self.below(high - low + 1)

    def noise(self, shape: tuple[int, ...], most: int) -> np.ndarray:
        """Return numbers from -most to most, int16, each equally likely to within a 256th."""
        count = int(np.prod(shape))
        raw = self._bits.random_raw(-(-count // 8)).astype("<u8").view(np.uint8)[:count]
        return (raw.astype(np.int16) * np.int16(2 * most + 1) // np.int16(256) - np.int16(most)).reshape(shape)


@lru_cache(maxsize=1)
def _file() -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data._embedded("fashion_scenes.npz")), allow_pickle=False) as archive:
        return dict(archive)


# Silhouettes. A row of 28 pixels, with a margin of one on each side, is the bits of one number: growing a region by
# a pixel is then a handful of shifts for all 12,000 images together.


def _grow(region: np.ndarray, allowed: np.ndarray, diagonal: bool) -> np.ndarray:
    """Return all of `allowed` that hangs together with `region`, over corners too if `diagonal`."""
    region, active = region & allowed, np.arange(len(region))
    while len(active):
        old = region[active]
        sideways = old | old << np.uint32(1) | old >> np.uint32(1)
        vertical = sideways if diagonal else old
        new = sideways.copy()
        new[:, 1:] |= vertical[:, :-1]
        new[:, :-1] |= vertical[:, 1:]
        new &= allowed[active]
        region[active] = new
        active = active[(new != old).any(axis=1)]
    return region


def packed(pixels: np.ndarray) -> np.ndarray:
    """Return bool (n, 28, 28) as rows of bits, uint32 (n, 30), with an empty margin all round."""
    rows = np.zeros((len(pixels), 30), np.uint32)
    rows[:, 1:-1] = np.where(pixels, _POWERS, np.uint32(0)).sum(axis=2, dtype=np.uint32)
    return rows


def unpacked(rows: np.ndarray) -> np.ndarray:
    """Return rows of bits, uint32 (n, 30), as bool (n, 28, 28)."""
    return (rows[:, 1:-1, None] & _POWERS) != 0


def in_one_piece(masks: np.ndarray) -> np.ndarray:
    """Return for each of (n, 28, 28) silhouettes whether 19 of 20 pixels hang together, starting in its widest row."""
    rows = packed(masks)
    widest = np.zeros_like(rows)
    index = (np.arange(len(rows)), 1 + masks.sum(axis=2).argmax(axis=1))
    bits = rows[index].astype(np.int64)
    widest[index] = (bits & -bits).astype(np.uint32)  # the lowest bit
    main = unpacked(_grow(widest, rows, diagonal=True)).sum(axis=(1, 2))
    return main * 20 >= masks.sum(axis=(1, 2)) * 19


def silhouettes(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which pixels of (n, 28, 28) images belong to the article: bool, holes filled, stray specks left out."""
    rows = packed(images > THRESHOLD)
    everything = np.full_like(rows, (1 << 30) - 1)

    blocks = rows & rows << np.uint32(1)
    blocks[:, 1:] &= blocks[:, :-1].copy()
    article = _grow(blocks, rows, diagonal=True)  # what holds a square of 2 x 2, and what hangs on it

    border = np.zeros_like(rows)
    border[:, 0] = everything[:, 0]
    holes = everything & ~article & ~_grow(border, everything & ~article, diagonal=False)
    core = holes & holes << np.uint32(1) & holes >> np.uint32(1)
    core[:, 1:-1] &= core[:, 2:].copy() & core[:, :-2].copy()  # centres of 3 x 3 pixels of hole
    open_holes = _grow(core, holes, diagonal=False)
    open_holes[~np.isin(labels, SEE_THROUGH)] = 0

    return unpacked((article | holes) & ~open_holes)


@dataclass(frozen=True)
class Wardrobe:
    """The articles of one split: pixels (n, 28, 28) of brightness and silhouette, and who is usable in each class."""

    images: np.ndarray  # uint8
    masks: np.ndarray  # bool
    boxes: np.ndarray  # (n, 4): first and last row + 1, first and last column + 1
    usable: tuple[np.ndarray, ...]  # for each class the numbers of its images
    clear: tuple[np.ndarray, ...]  # the same, without those that resemble another class


@lru_cache(maxsize=2)
def wardrobe(split: str) -> Wardrobe:
    """Return the embedded Fashion-MNIST images of a split with their silhouettes."""
    images, labels = data._fashion_arrays(split, full=False)
    masks = silhouettes(images, labels)
    rows, columns = masks.any(axis=2), masks.any(axis=1)
    boxes = np.stack(
        [rows.argmax(1), 28 - rows[:, ::-1].argmax(1), columns.argmax(1), 28 - columns[:, ::-1].argmax(1)], axis=1
    )
    good = (masks.sum(axis=(1, 2)) >= LEAST_AREA) & in_one_piece(masks)
    clear = good & np.unpackbits(_file()[f"{split}_clear"])[: len(labels)].astype(bool)
    by_class = (tuple(np.flatnonzero(some & (labels == c)) for c in range(10)) for some in (good, clear))
    return Wardrobe(images, masks, boxes, *by_class)


# Backgrounds


def tiles(split: str) -> list[tuple[int, int]]:
    """Return photograph and square of each tile of a split: a quarter is for test, strewn over both photographs."""
    return [
        (photograph, square)
        for photograph in range(2)
        for square in range(24)
        if ((square // 6 + 2 * (square % 6)) % 4 == 0) == (split == "test")
    ]


def photographs() -> tuple[np.ndarray, np.ndarray]:
    """Return the two photographs, uint8 (3, 213, 320)."""
    return _file()["china"], _file()["flower"]


def tile_pixels(photograph: int, square: int) -> np.ndarray:
    """Return the pixels of a tile, uint8 (3, 53, 53)."""
    top, left = TILE * (square // 6), TILE * (square % 6)
    return photographs()[photograph][:, top : top + TILE, left : left + TILE]


@lru_cache(maxsize=4096)
def _steps(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each of `new` places among `old`: the places before and behind it and their weights, which add up to 256."""
    at = np.clip((2 * np.arange(new) + 1) * 128 * old // new - 128, 0, 256 * (old - 1))
    before = at // 256
    weight = (at - 256 * before).astype(np.uint16)
    return before, np.minimum(before + 1, old - 1), np.uint16(256) - weight, weight


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (..., h, w) uint8 in another size: bilinear, in whole numbers."""
    above, below, near, far = _steps(pixels.shape[-2], height)
    rows = pixels.astype(np.uint16)
    # 255 * 256 is the most a sum can be, and fits into 16 bits.
    rows = (rows.take(above, -2) * near[:, None] + rows.take(below, -2) * far[:, None]) >> np.uint16(8)
    left, right, near, far = _steps(pixels.shape[-1], width)
    return ((rows.take(left, -1) * near + rows.take(right, -1) * far) >> np.uint16(8)).astype(np.uint8)


def _tones() -> np.ndarray:
    """Return what becomes of each grey level, uint8 (4, 256): dimmed, as it is, lighter, lighter still."""
    levels = np.arange(256, dtype=np.int64)
    lighter = 255 - (255 - levels) ** 2 // 255
    return np.stack([levels * 5 // 8, levels, lighter, lighter[lighter]]).astype(np.uint8)


_TONES = _tones()
_ORDERS = np.array([(0, 1, 2)] * 5 + [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])


def _photo(draws: Draws, places: list[tuple[int, int]], height: int, width: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return part of a tile, uint8 (3, height, width): turned over, its tones and at times its colours changed."""
    tile = places[draws.below(len(places))]
    pixels = tile_pixels(*tile)
    longer = draws.between(30, TILE)
    rows, columns = (max(1, longer * side // max(height, width)) for side in (height, width))
    top, left = draws.below(TILE - rows + 1), draws.below(TILE - columns + 1)
    turn = draws.below(4)
    pixels = pixels[:, top : top + rows, left : left + columns][:, :: 1 - turn // 2 * 2, :: 1 - turn % 2 * 2]
    pixels = _TONES[draws.below(4)][pixels[_ORDERS[draws.below(10)]]].astype(np.uint16)
    # Half as colourful, so that what stands before it stands out.
    pixels = (pixels * np.uint16(3) + pixels.sum(axis=0, dtype=np.uint16)) // np.uint16(6)
    return resize(pixels, height, width), tile


def _blend(region: np.ndarray, pixels: np.ndarray, cover: np.ndarray) -> None:
    """Lay `pixels` over `region`, both uint8 (3, h, w), where `cover`, uint8 (h, w), says how much."""
    weight = cover.astype(np.uint16) + (cover >> 7)  # 0 to 256
    region[:] = (region * (np.uint16(256) - weight) + pixels * weight) >> np.uint16(8)


def _clutter(draws: Draws, image: np.ndarray, places: list[tuple[int, int]], longest: int) -> None:
    """Lay a box or a disc of photograph or of plain colour somewhere on the image."""
    height, width = (draws.between(min(6, side), min(longest, side)) for side in image.shape[1:])
    top, left = draws.below(image.shape[1] - height + 1), draws.below(image.shape[2] - width + 1)
    pixels, _ = _photo(draws, places, height, width)
    if draws.below(2):
        colour = np.array(PALETTE[draws.below(len(PALETTE))], np.uint16)[:, None, None]
        pixels = ((pixels + colour * np.uint16(2)) // np.uint16(3)).astype(np.uint8)
    cover = np.full((height, width), 255, np.uint8)
    if draws.below(2):
        y, x = (2 * np.arange(side, dtype=np.int64) + 1 - side for side in (height, width))
        cover[(y[:, None] * width) ** 2 + (x * height) ** 2 > (height * width) ** 2] = 0
    _blend(image[:, top : top + height, left : left + width], pixels, cover)


# Items


def _colour(draws: Draws, mean: list[int], recipe: Recipe) -> list[int]:
    """Draw a colour until it stands out from `mean` enough, or else take the best of twelve."""
    best, most = None, -1
    for _ in range(12):
        colour = PALETTE[draws.below(BRIGHT if recipe.clear else len(PALETTE))]
        colour = [min(255, max(0, c + draws.between(-20, 20))) for c in colour]
        difference = sum(abs((c * _MEAN_SHADE >> 8) - m) for c, m in zip(colour, mean, strict=True))
        if difference > most:
            best, most = colour, difference
        if most >= recipe.contrast:
            break
    return best


def _article(draws: Draws, clothes: Wardrobe, source: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an article's brightness and cover, uint8 (h, w), its longer side `size` pixels, at times mirrored."""
    top, bottom, left, right = clothes.boxes[source].tolist()
    pixels = np.stack([clothes.images[source], clothes.masks[source] * np.uint8(255)])[:, top:bottom, left:right]
    height, width = bottom - top, right - left
    longer = max(height, width)
    # Narrow things stay wide enough to be seen.
    height, width = (max(4, (2 * side * size + longer) // (2 * longer)) for side in (height, width))
    if draws.below(2):
        pixels = pixels[:, :, ::-1]
    brightness, cover = resize(pixels, height, width)
    return brightness, cover


def _attempt(draws: Draws, clothes: Wardrobe, places: list, recipe: Recipe, height: int, width: int) -> Scene | None:
    """Return a scene, or None if its articles do not fit."""
    image, tile = _photo(draws, places, height, width)
    image = (image * np.uint16(recipe.light) >> np.uint16(8)).astype(np.uint8)
    for _ in range(draws.between(*recipe.clutter)):
        _clutter(draws, image, places, recipe.item_size[1] * 3 // 4)
    owner = np.zeros((height, width), np.uint8)
    labels, sources, full, visible = [], [], [0], [0]
    for number in range(1, draws.between(*recipe.items) + 1):
        label = draws.below(10)
        choice = (clothes.clear if recipe.clear else clothes.usable)[label]
        source = int(choice[draws.below(len(choice))])
        brightness, cover = _article(draws, clothes, source, draws.between(*recipe.item_size))
        inside = cover >= 128
        h, w = inside.shape
        for _ in range(20):
            y, x = draws.below(height - h + 1), draws.below(width - w + 1)
            hidden = np.bincount(owner[y : y + h, x : x + w][inside], minlength=number).tolist()
            # As much of every earlier article stays to be seen as the recipe asks for.
            if all(
                (visible[j] - hidden[j]) * 1000 >= full[j] * (1000 - recipe.overlap)
                for j in range(1, number)
                if hidden[j]
            ):
                break
        else:
            return None
        region = image[:, y : y + h, x : x + w]
        mean = (region.sum(axis=(1, 2), dtype=np.int64) // (h * w)).tolist()
        colour = _colour(draws, mean, recipe)
        faded = [
            (c * (256 - recipe.fade) + m * 256 // _MEAN_SHADE * recipe.fade) >> 8
            for c, m in zip(colour, mean, strict=True)
        ]
        table = np.minimum(np.array(faded, np.int32)[:, None] * _SHADES >> 8, 255).astype(np.uint8)
        _blend(region, table[:, brightness], cover)
        owner[y : y + h, x : x + w][inside] = number
        visible = [v - gone for v, gone in zip(visible, hidden, strict=True)]
        full.append(int(inside.sum()))
        visible.append(full[-1])
        labels.append(label + 1)
        sources.append(source)
    if recipe.noise:
        image = np.clip(image + draws.noise(image.shape, recipe.noise), 0, 255).astype(np.uint8)
    return Scene(image, owner, tuple(labels), tuple(sources), tile)


def compose(split: str, seed: int, recipe: Recipe, height: int, width: int, first: int, count: int) -> Iterator[Scene]:
    """Give the scenes first, first + 1, ... of a seed; each has random numbers of its own.

    Raises ValueError if a scene's articles found no place in 50 attempts.
    """
    clothes, places = wardrobe(split), tiles(split)
    for index in range(first, first + count):
        draws = Draws(seed, ("train", "test").index(split), index)
        for _ in range(50):
            scene = _attempt(draws, clothes, places, recipe, height, width)
            if scene is not None:
                yield scene
                break
        else:
            raise ValueError(
                f"{recipe.items[0]} to {recipe.items[1]} items of {recipe.item_size[0]} to {recipe.item_size[1]} "
                f"pixels find no place on a canvas of {height} x {width} where others hide at most "
                f"{recipe.overlap / 1000:g} of each: ask for fewer or smaller items, more overlap, or a larger canvas."
            )
