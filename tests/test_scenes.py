"""Fashion scenes: what a scene holds, that it is the same everywhere, what the card says of it, what is refused."""

import hashlib
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from dlcourse import _compose, data
from dlcourse.scenes import DIFFICULTIES, draw_boxes

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
SPLITS = ("train", "test")


@pytest.fixture(scope="module")
def card():
    spec = importlib.util.spec_from_file_location("scene_card", DATASETS / "scene_card.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=DIFFICULTIES)
def scenes(request):
    return data.FashionScenes("train", 60, difficulty=request.param, size=(80, 112), seed=5)


# What a scene holds


def test_shapes_types_and_ranges(scenes):
    assert len(scenes) == len(scenes.targets) == 60
    assert scenes.images.shape == (60, 3, 80, 112) and scenes.images.dtype == torch.uint8
    assert scenes.semantic.shape == (60, 80, 112) and scenes.semantic.dtype == torch.uint8
    low, high = scenes.recipe.items
    for i in range(len(scenes)):
        image, target = scenes[i]
        assert image.shape == (3, 80, 112) and image.dtype == torch.float32
        torch.testing.assert_close(image * 255, scenes.images[i].float())
        assert list(target) == ["boxes", "labels", "masks", "semantic"]
        k = len(target["labels"])
        assert low <= k <= high
        assert target["labels"].dtype == torch.int64 and 1 <= target["labels"].min() <= target["labels"].max() <= 10
        assert target["boxes"].shape == (k, 4) and target["boxes"].dtype == torch.float32
        assert target["masks"].shape == (k, 80, 112) and target["masks"].dtype == torch.bool
        assert target["semantic"].shape == (80, 112) and target["semantic"].dtype == torch.int64


def test_boxes_are_tight_on_the_visible_pixels(scenes):
    for target in scenes.targets:
        for box, mask in zip(target["boxes"].tolist(), target["masks"], strict=True):
            rows, columns = torch.nonzero(mask, as_tuple=True)
            assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_semantic_is_what_the_masks_say(scenes):
    for i, target in enumerate(scenes.targets):
        assert (target["masks"].sum(dim=0) <= 1).all()
        expected = (target["masks"] * target["labels"][:, None, None]).sum(dim=0)
        assert torch.equal(target["semantic"], expected)
        assert torch.equal(scenes.semantic[i].long(), expected)


def test_labels_are_those_of_the_articles_and_no_class_is_rare(scenes):
    _, labels = data.fashion_mnist("train")
    for target, sources in zip(scenes.targets, scenes.sources, strict=True):
        assert (labels[list(sources)] + 1).tolist() == target["labels"].tolist()
    assert ("background", *data.FASHION_LABELS) == data.SCENE_LABELS


def test_later_items_hide_earlier_ones_and_enough_of_each_stays_visible(monkeypatch):
    """Keeps the silhouette of every article as it is laid down, and lays them over each other again."""
    laid, blend = [], _compose._blend

    def spy(region, pixels, cover):
        # `region` is a view of the image: its address says where it is.
        base = region.base if region.base.ndim == 3 else region.base.reshape(3, 96, 96)
        offset = region.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        laid.append((offset // 96, offset % 96, cover >= 128))
        blend(region, pixels, cover)

    monkeypatch.setattr(_compose, "_blend", spy)
    overlaps = 0
    for overlap in (0, 300, 750):
        recipe = _compose.Recipe((3, 6), (20, 40), overlap, 150)
        for index in range(40):
            laid.clear()
            (scene,) = _compose.compose("train", 1, recipe, 96, 96, index, 1)
            placed = laid[-len(scene.labels) :]  # those before belong to attempts that were given up
            expected = np.zeros((96, 96), np.int64)
            for number, (y, x, inside) in enumerate(placed, 1):
                expected[y : y + inside.shape[0], x : x + inside.shape[1]][inside] = number
            assert (scene.owner == expected).all()
            for number, (_, _, inside) in enumerate(placed, 1):
                visible, full = (scene.owner == number).sum(), inside.sum()
                assert visible * 1000 >= full * (1000 - overlap)
                overlaps += visible < full
            assert visible == full  # nothing lies on the last one
    assert overlaps > 50


@pytest.mark.slow
def test_colour_does_not_give_the_class_away():
    """The mean colour of an article is no better than a guess: nearest class mean, on other scenes, is near 1 in 10."""
    scenes = data.FashionScenes("train", 400, seed=2, difficulty="easy")
    colours, labels = [], []
    for i, target in enumerate(scenes.targets):
        for mask, label in zip(target["masks"], target["labels"], strict=True):
            colour = scenes.images[i][:, mask].float().mean(dim=1)
            colours.append(colour / colour.sum())  # the hue: brightness also tells of the grey levels
            labels.append(label)
    colours, labels = torch.stack(colours), torch.stack(labels)
    half = len(labels) // 2
    means = torch.stack([colours[:half][labels[:half] == c].mean(dim=0) for c in range(1, 11)])
    guessed = torch.cdist(colours[half:], means).argmin(dim=1) + 1
    assert (guessed == labels[half:]).float().mean() < 0.2


def test_an_article_is_its_silhouette_not_its_square():
    target = data.FashionScenes("train", 200, difficulty="easy").targets
    share = {c: [] for c in range(1, 11)}
    for t in target:
        for box, mask, label in zip(t["boxes"], t["masks"], t["labels"].tolist(), strict=True):
            share[label].append(float(mask.sum() / ((box[2] - box[0]) * (box[3] - box[1]))))
    mean = {data.SCENE_LABELS[c]: np.mean(values) for c, values in share.items()}
    assert mean["sandal"] < 0.6 < mean["bag"] < 0.98 and mean["ankle boot"] < 0.8


def picture(*rows):
    pixels = np.zeros((1, 28, 28), np.uint8)
    for y, row in enumerate(rows, 6):
        pixels[0, y, 6 : 6 + len(row)] = [200 if c == "#" else 0 for c in row]
    return pixels


def test_holes_are_prints_except_where_one_looks_through():
    ring = picture("########", "########", "##....##", "##....##", "##....##", "########", "#######.", "####.###")
    whole = picture("########", "########", "########", "########", "########", "########", "#######.", "####.###")
    for label in range(10):
        (found,) = _compose.silhouettes(ring, np.array([label]))
        expected = ring if label in (5, 8) else whole  # sandal, bag
        assert (found == (expected[0] > 0)).all(), label
    narrow = picture("########", "########", "##.#####", "##.#####", "########")
    assert _compose.silhouettes(narrow, np.array([8]))[0].sum() == 40  # a seam, not a handle


def test_specks_are_left_out_and_thin_straps_stay():
    pixels = picture("#...........", "............", "..####......", "..####......", "......#.....", ".......#####")
    (found,) = _compose.silhouettes(pixels, np.array([5]))
    assert found.sum() == 14 and not found[6, 6]
    two = picture("####....####", "####....####", "####....####")
    assert _compose.in_one_piece(np.concatenate([two, picture("####", "####")]) > 0).tolist() == [False, True]


# The same everywhere

CHECKSUMS = {
    ("train", "easy"): "380f0c2b735c85a111591c2c45f520db985034f2c15144897bdb44cd0a5b0c61",
    ("train", "normal"): "73698dbc528a192436ee2c803f542e7ba26e8d5f79990c4c7457bdafb1ec0f65",
    ("train", "hard"): "d97395747d829be20c64e38cd75e423b3253c40a555f259e9826bd5a0d8bdbb3",
    ("test", "easy"): "468c744bcaa4a4bae33342c9692068e94a180485a6e31f310109e0340a7f97b2",
    ("test", "normal"): "c7ca1da557670d1c4da10e8ee435379883dc512d28d91fa695f8c0e7653e13a1",
    ("test", "hard"): "a821a326a06ad79f09b276c7ca00b49dd814ad2c65b84724edd2a6390f7530e4",
}


def checksum(scenes):
    digest = hashlib.sha256(scenes.images.numpy().tobytes() + scenes.semantic.numpy().tobytes())
    for target in scenes.targets:
        digest.update(target["masks"].numpy().tobytes())
        digest.update(target["boxes"].numpy().astype("<i4").tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("split", SPLITS)
def test_scenes_have_their_recorded_checksum(split, difficulty):
    assert checksum(data.FashionScenes(split, 50, difficulty=difficulty)) == CHECKSUMS[split, difficulty]


def test_a_scene_depends_on_seed_and_split_and_not_on_the_number_of_scenes():
    few, many = data.FashionScenes("train", 5, seed=7), data.FashionScenes("train", 20, seed=7)
    assert torch.equal(few.images, many.images[:5]) and torch.equal(few.semantic, many.semantic[:5])
    other = data.FashionScenes("train", 20, seed=8)
    assert not any(torch.equal(a, b) for a in many.images for b in other.images)
    torch.manual_seed(0), np.random.seed(0)
    assert torch.equal(data.FashionScenes("train", 5, seed=7).images, few.images)


def test_splits_share_no_article_and_no_part_of_a_photograph():
    train, test = (set(_compose.tiles(split)) for split in SPLITS)
    assert len(train) == 36 and len(test) == 12 and not train & test
    tops = {(_compose.TILE * (square // 6), _compose.TILE * (square % 6)) for _, square in train | test}
    assert len(tops) == 24  # so no two squares overlap, for their corners are multiples of their side
    for split, tiles in (("train", train), ("test", test)):
        scenes = data.FashionScenes(split, 100, items=(1, 1))
        assert set(scenes.tiles) <= tiles and len(set(scenes.tiles)) > 0.6 * len(tiles)
        _, labels = data.fashion_mnist(split)
        for target, (source,) in zip(scenes.targets, scenes.sources, strict=True):
            assert labels[source] + 1 == target["labels"][0]
    # test_data.py shows that no image is in both splits.


def test_background_comes_from_the_tile(monkeypatch):
    """Black tiles of one split leave its scenes without a background, and the other's as they were."""
    before = {split: data.FashionScenes(split, 12).images for split in SPLITS}
    photographs = [photograph.copy() for photograph in _compose.photographs()]
    for photograph, square in _compose.tiles("test"):
        y, x = _compose.TILE * (square // 6), _compose.TILE * (square % 6)
        photographs[photograph][:, y : y + _compose.TILE, x : x + _compose.TILE] = 0
    monkeypatch.setattr(_compose, "photographs", lambda: photographs)
    assert torch.equal(data.FashionScenes("train", 12).images, before["train"])
    black = data.FashionScenes("test", 12)
    assert not torch.equal(black.images, before["test"])
    far = torch.nn.functional.max_pool2d((black.semantic > 0).float(), 5, 1, 2) == 0
    assert black.images.permute(0, 2, 3, 1)[far].max() == 0


def test_resizing_is_bilinear():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 20, 31), dtype=np.uint8)
    for height, width in ((20, 31), (47, 96), (13, 18)):
        ours = _compose.resize(pixels, height, width).astype(np.float64)
        theirs = torch.nn.functional.interpolate(
            torch.from_numpy(pixels).double()[None], (height, width), mode="bilinear"
        )[0].numpy()
        assert np.abs(ours - theirs).max() < 4 and -1.5 < (ours - theirs).mean() <= 0  # it rounds down, twice


# The card


def rows_of(text, name):
    body = text.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0].strip().splitlines()[2:]
    return {tuple(cells[:2]): cells[2:] for cells in ([c.strip() for c in line.strip("|").split("|")] for line in body)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("split", "difficulty"),
    [
        pytest.param(split, difficulty, marks=[pytest.mark.slow] if split == "train" else [])
        for split in SPLITS
        for difficulty in DIFFICULTIES
    ],
)
def test_the_card_says_what_the_default_sets_hold(card, split, difficulty):
    text = (DATASETS / "fashion_scenes.md").read_text(encoding="utf-8")
    sizes, classes = card.statistics(data.FashionScenes(split, difficulty=difficulty))
    assert rows_of(text, "sizes")[difficulty, split] == sizes
    assert rows_of(text, "classes")[difficulty, split] == classes
    assert len(rows_of(text, "sizes")) == len(rows_of(text, "classes")) == 6


def test_the_cards_share_of_left_out_images():
    text = (DATASETS / "fashion_scenes.md").read_text(encoding="utf-8")
    usable = sum(map(len, _compose.wardrobe("train").usable))
    assert f"are left out ({100 * (12000 - usable) / 12000:.1f} % of the 12,000)" in text


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_clear_articles_are_those_whose_neighbours_have_their_class(split):
    labels = {name: data.fashion_mnist(name)[1].numpy() for name in SPLITS}
    clear = np.unpackbits(_compose._file()[f"{split}_clear"]).astype(bool)
    assert len(clear) == len(labels[split])
    assert np.bincount(labels[split][clear]).tolist() == [200 if split == "train" else 40] * 10
    mine, train = (_compose.wardrobe(name).images.reshape(-1, 784).astype(np.float64) for name in (split, "train"))
    coats = np.flatnonzero(labels[split] == 4)[:60]
    distance = (train**2).sum(axis=1) - 2 * mine[coats] @ train.T
    if split == "train":
        distance[np.arange(60), coats] = np.inf
    foreign = labels["train"][np.argsort(distance, axis=1, kind="stable")] != 4
    run = foreign.argmax(axis=1)
    assert 0 < clear[coats].sum() < 60 and run[clear[coats]].min() >= run[~clear[coats]].max()
    for difficulty, all_clear in (("easy", True), ("normal", True), ("hard", False)):
        scenes = data.FashionScenes(split, 40, difficulty=difficulty)
        assert all(clear[list(sources)].all() for sources in scenes.sources) is all_clear


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_the_cards_pictures_show_what_the_code_draws(card, difficulty):
    from PIL import Image

    path = card.picture_path(difficulty)
    assert path.stat().st_size < 150_000
    assert np.array_equal(np.asarray(Image.open(path).convert("RGB")), card.contact_sheet(difficulty))
    text = (DATASETS / "fashion_scenes.md").read_text(encoding="utf-8")
    assert re.search(rf"!\[.{{40,}}\]\(pictures/{path.name}\)", text)


def test_the_file_is_made_from_the_photographs_of_scikit_learn():
    """Within a step of rounding, whatever the JPEG decoder; `build.py` itself insists on every byte."""
    from PIL import Image

    # Importing scikit-learn would take seconds.
    (package,) = importlib.util.find_spec("sklearn").submodule_search_locations
    for name, ours in zip(("china", "flower"), _compose.photographs(), strict=True):
        with Image.open(Path(package) / "datasets" / "images" / f"{name}.jpg") as opened:
            photograph = np.asarray(opened.convert("RGB"))[:426].astype(np.float64)
        halved = photograph.reshape(213, 2, 320, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
        assert ours.shape == (3, 213, 320) and np.abs(ours - halved).max() < 6


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(split="val"), "'train' or 'test'.*another seed"),
        (dict(split=None), "'train' or 'test'"),
        (dict(n=0), "number of scenes, must be a whole number from 1 to .*not 0"),
        (dict(n=-3), "whole number"),
        (dict(n=2.5), "whole number.*2.5"),
        (dict(n=True), "whole number"),
        (dict(n=10**7), "whole number from 1 to 21701"),
        (dict(seed=-1), "seed must be a whole number from 0"),
        (dict(seed=1.5), "seed must be"),
        (dict(seed=None), "seed must be"),
        (dict(difficulty="medium"), "'easy', 'normal', 'hard', not 'medium'"),
        (dict(difficulty=2), "difficulty must be one of"),
        (dict(size=0), "height in size must be"),
        (dict(size=(96, 96, 3)), r"\(height, width\)"),
        (dict(size=(96, 1000)), "width in size must be a whole number from 1 to 512, not 1000"),
        (dict(size=96.5), "height in size"),
        (dict(size=40), r"canvas of 40 x 40 .* too small for items of up to 48 .*item_size=\(least, most\)"),
        (dict(size=(200, 47)), "canvas of 200 x 47"),
        (dict(items=(3, 1)), "least and then the most.*3 is more than 1"),
        (dict(items=4), "items must be two whole numbers"),
        (dict(items=(0, 2)), "items must be a whole number from 1 to 50, not 0"),
        (dict(items=(1, 51)), "from 1 to 50"),
        (dict(item_size=(4, 20)), "item_size must be a whole number from 8"),
        (dict(item_size=(30, 20)), "30 is more than 20"),
        (dict(overlap=0.9), "0 to 0.75, not 0.9.*quarter"),
        (dict(overlap=-0.1), "overlap must be"),
        (dict(overlap=float("nan")), "overlap must be"),
        (dict(overlap="0.5"), "overlap must be"),
        (dict(items=(9, 9), item_size=(48, 48), overlap=0), "find no place on a canvas of 96 x 96.*larger canvas"),
    ],
)
def test_bad_input_is_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.FashionScenes(**{"n": 1, **arguments})


@pytest.mark.parametrize("index", [3, -4])
def test_indices_beyond_the_end_are_refused_so_that_a_loop_ends(index):
    scenes = data.FashionScenes("test", 3)
    with pytest.raises(IndexError):
        scenes[index]
    with pytest.raises(IndexError):
        scenes.targets[index]
    assert len(list(scenes)) == 3
    assert torch.equal(scenes[-1][0], scenes[2][0])
    assert torch.equal(scenes.targets[-1]["boxes"], scenes.targets[2:][0]["boxes"])


def test_options_are_heeded_and_numpy_numbers_welcome():
    scenes = data.FashionScenes(
        "test", np.int64(20), size=np.int64(64), seed=np.uint8(3), items=(2, 3), item_size=(10, 16), overlap=0
    )
    assert scenes.size == (64, 64)
    for target in scenes.targets:
        assert 2 <= len(target["labels"]) <= 3
        sides = (target["boxes"][:, 2:] - target["boxes"][:, :2]).max(dim=1).values
        assert sides.min() >= 8 and sides.max() <= 16
    assert torch.equal(data.FashionScenes("test", 2, size=96).images, data.FashionScenes("test", 2).images)


def test_a_changed_target_does_not_change_the_next():
    scenes = data.FashionScenes("test", 2)
    image, target = scenes[0]
    expected = {name: value.clone() for name, value in target.items()}
    image.zero_()
    for value in target.values():
        value.zero_()
    again, fresh = scenes[0]
    assert again.any() and all(torch.equal(fresh[name], expected[name]) for name in expected)


# Batches and training


def test_a_loader_with_scene_batch():
    scenes = data.FashionScenes("test", 10)
    loader = torch.utils.data.DataLoader(scenes, 4, collate_fn=data.scene_batch)
    batches = list(loader)
    assert [len(targets) for _, targets in batches] == [4, 4, 2]
    images, targets = batches[1]
    assert images.shape == (4, 3, 96, 96) and isinstance(targets, list)
    for b in range(4):
        image, target = scenes[4 + b]
        assert torch.equal(images[b], image)
        assert all(torch.equal(targets[b][name], target[name]) for name in target)


def test_boxes_are_drawn_just_inside():
    drawn = draw_boxes(torch.zeros(3, 6, 8), torch.tensor([[1.0, 2, 5, 6]]), (1, 0.5, 0))
    expected = torch.zeros(6, 8)
    expected[2:6, 1:5] = 1
    expected[3:5, 2:4] = 0
    assert torch.equal(drawn[0], expected) and torch.equal(drawn[1], expected / 2) and not drawn[2].any()


@pytest.mark.slow
@pytest.mark.parametrize("target", ["objects", "semantic"])
def test_d2l_trains_on_the_data_module(monkeypatch, target):
    import matplotlib

    matplotlib.use("Agg")
    from d2l import torch as d2l

    monkeypatch.setattr(d2l.ProgressBoard, "draw", lambda *args, **kwargs: None)
    module = data.FashionScenesModule(batch_size=4, n=(6, 3), target=target, order_seed=1, size=64, seed=9)
    assert isinstance(module, d2l.DataModule)
    assert torch.equal(module.train.images, data.FashionScenes("train", 6, size=64, seed=9).images)
    assert torch.equal(module.val.images, data.FashionScenes("test", 3, size=64, seed=9).images)

    class Pixels(d2l.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Conv2d(3, 11, 1)
            self.seen = []

        def loss(self, scores, targets):
            self.seen.append(len(targets))
            if target == "objects":
                targets = torch.stack([t["semantic"] for t in targets])
            return torch.nn.functional.cross_entropy(scores, targets)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    model = Pixels()
    before = model.net.weight.detach().clone()
    d2l.Trainer(max_epochs=1).fit(model, module)
    assert model.seen == [4, 2, 3] and not torch.equal(model.net.weight, before)

    batch = next(iter(module.val_dataloader()))
    module.visualize(batch, nrows=1, ncols=2)
    assert len(d2l.plt.gcf().axes) == 2
    d2l.plt.close("all")
    assert module.text_labels(torch.tensor([0, 1, 10])) == ["background", "t-shirt", "ankle boot"]


def test_the_order_of_training_batches():
    def order(module):
        return [float(images.sum()) for images, _ in module.train_dataloader()]

    one, other = (data.FashionScenesModule(2, (8, 1), order_seed=4) for _ in range(2))
    first, second = order(one), order(one)
    assert first != second and [first, second] == [order(other), order(other)]
    with pytest.raises(ValueError, match="'objects'.*'semantic'"):
        data.FashionScenesModule(2, (1, 1), target="masks")
