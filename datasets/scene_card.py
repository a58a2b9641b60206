"""Write the tables and pictures of the card `fashion_scenes.md` anew: `python datasets/scene_card.py`.

Everything in them is counted or drawn from the scenes of today's code; `tests/test_scenes.py` compares.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # `dlcourse` of this checkout, installed or not

from dlcourse.data import SCENE_LABELS  # noqa: E402
from dlcourse.scenes import DIFFICULTIES, FashionScenes, draw_boxes  # noqa: E402

CARD = HERE / "fashion_scenes.md"
PICTURES = HERE / "pictures"
COLOURS = np.array(
    [(0, 0, 0), (230, 60, 60), (60, 130, 230), (240, 200, 60), (70, 180, 90), (160, 100, 210), (240, 140, 50),
     (80, 210, 210), (240, 130, 190), (160, 120, 80), (225, 225, 225)], np.uint8
)  # fmt: skip
"""Colour of each class in the lower rows of the pictures."""


def _boxes_that_meet(boxes: np.ndarray) -> int:
    """Return how many of the boxes (k, 4) share a pixel with another."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    return int(((high > low).all(axis=2).sum(axis=1) > 1).sum())


def statistics(scenes: FashionScenes) -> tuple[list[str], list[str]]:
    """Return what the card says of a set: a row of the table of sizes, and a row of the table of classes."""
    targets = list(scenes.targets)
    counts = np.array([len(target["labels"]) for target in targets])
    boxes = [target["boxes"].numpy().astype(np.int64) for target in targets]
    sides = np.sort(np.concatenate([(b[:, 2:] - b[:, :2]).max(axis=1) for b in boxes]))
    narrow = np.concatenate([(b[:, 2:] - b[:, :2]).min(axis=1) for b in boxes])
    total = int(counts.sum())
    meet = sum(map(_boxes_that_meet, boxes))
    background = int((scenes.semantic == 0).sum())
    sizes = [
        f"{len(scenes)}",
        f"{total}",
        f"{total / len(scenes):.2f} ({counts.min()} to {counts.max()})",
        f"{sides[total // 20]} / {sides[total // 2]} / {sides[total * 19 // 20]}",
        f"{narrow.sum() / total:.1f}",
        f"{100 * meet / total:.1f} %",
        f"{100 * background / scenes.semantic.numel():.1f} %",
    ]
    labels = np.concatenate([target["labels"].numpy() for target in targets])
    return sizes, [str(count) for count in np.bincount(labels, minlength=len(SCENE_LABELS))[1:]]


def contact_sheet(difficulty: str, columns: int = 8, rows: int = 2) -> np.ndarray:
    """Return the first test scenes with their boxes and, below each, its masks: uint8 (height, width, 3)."""
    scenes = FashionScenes("test", columns * rows, difficulty=difficulty)
    height, width = scenes.size
    sheet = np.full((rows * (2 * height + 8) - 4, columns * (width + 4) - 4, 3), 255, np.uint8)
    for i in range(columns * rows):
        top, left = i // columns * (2 * height + 8), i % columns * (width + 4)
        _, target = scenes[i]
        picture = draw_boxes(scenes.images[i], target["boxes"], (255, 0, 160)).permute(1, 2, 0).numpy()
        # Coarser steps of grey keep the file small: noise does not compress.
        sheet[top : top + height, left : left + width] = picture // 16 * 17 if scenes.recipe.noise else picture // 4 * 4
        masks = np.zeros((height, width, 3), np.uint8)
        for k, (mask, label) in enumerate(zip(target["masks"].numpy(), target["labels"].tolist(), strict=True)):
            # Items of one class differ in brightness, so that one sees where one ends.
            masks[mask] = COLOURS[label].astype(np.int64) * (10 - k % 4 * 2) // 10
        sheet[top + height : top + 2 * height, left : left + width] = masks
    return sheet


def picture_path(difficulty: str) -> Path:
    """Return where the contact sheet of a difficulty is."""
    return PICTURES / f"fashion_scenes_{difficulty}.png"


def table(name: str, rows: list[list[str]]) -> str:
    """Return a table of the card between its two markers."""
    sizes = (
        "scenes | items | items a scene | longer side of a box, pixels (5 % / half / 95 %) | mean shorter side | "
        "boxes that meet another | background pixels"
    )
    head = ["difficulty", "split", *(sizes.split(" | ") if name == "sizes" else SCENE_LABELS[1:])]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join([f"<!-- {name} -->", *(f"| {' | '.join(line)} |" for line in lines), f"<!-- end of {name} -->"])


def main() -> None:
    """Count, draw and write."""
    from PIL import Image

    sizes, classes = [], []
    for difficulty in DIFFICULTIES:
        for split in ("train", "test"):
            of_sizes, of_classes = statistics(FashionScenes(split, difficulty=difficulty))
            sizes.append([difficulty, split, *of_sizes])
            classes.append([difficulty, split, *of_classes])
    card = CARD.read_text(encoding="utf-8")
    for name, rows in (("sizes", sizes), ("classes", classes)):
        card = re.sub(rf"<!-- {name} -->.*<!-- end of {name} -->", table(name, rows), card, flags=re.DOTALL)
    CARD.write_bytes(card.encode())
    PICTURES.mkdir(exist_ok=True)
    for difficulty in DIFFICULTIES:
        Image.fromarray(contact_sheet(difficulty)).save(picture_path(difficulty), optimize=True)
        print(f"{picture_path(difficulty).name}: {picture_path(difficulty).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
