"""Week 10's mean average precision gives the numbers of the COCO benchmark's own code.

Three implementations are held against pycocotools: the reference answer that learners' scores are defined by, the
independent one in the hidden tests, and the one that the lesson measures its detector with.
"""

import ast
import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import ops

pytest.importorskip("pycocotools")
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

ROOT = Path(__file__).parents[1]
ASSIGNMENT = ROOT / "source" / "week10_object_detection" / "object_detection.py"
LESSON = ROOT / "notebooks" / "week10_object_detection" / "object_detection.py"


def functions(file: Path, *names: str, inside: str | None = None) -> list[Callable]:
    """Compile single functions out of a notebook's text: the text that learners are graded by, not a copy of it."""
    tree = ast.parse(file.read_text("utf-8"))
    if inside:
        tree = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == inside)
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in names]
    assert [n.name for n in found] == list(names), f"{file.name} no longer defines {names} in this order"
    scope: dict = {"torch": torch, "ops": ops}
    exec(compile(ast.Module(found, []), str(file), "exec"), scope)
    return [scope[name] for name in names]


def pycocotools_at(threshold: float, detections: list[dict], targets: list[dict]) -> dict[int, float]:
    """Average precision by class, with the benchmark's own 101 recall levels."""
    labels = sorted({c for one in (*targets, *detections) for c in one["labels"].tolist()})
    truth, found = COCO(), COCO()
    for coco, rows in ((truth, targets), (found, detections)):
        annotations = []
        for image, one in enumerate(rows, 1):
            for k, (x1, y1, x2, y2) in enumerate(one["boxes"].tolist()):
                row = {"id": len(annotations) + 1, "image_id": image, "category_id": one["labels"][k].item()}
                row |= {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
                if coco is found:
                    row["score"] = one["scores"][k].item()
                annotations.append(row)
        images = [{"id": image} for image in range(1, len(rows) + 1)]
        coco.dataset = {"images": images, "annotations": annotations, "categories": [{"id": c} for c in labels]}
        with contextlib.redirect_stdout(io.StringIO()):
            coco.createIndex()
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.params.iouThrs = np.array([threshold])
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.params.maxDets = [1000]
    assert len(evaluation.params.recThrs) == 101
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
        evaluation.accumulate()
    curves = evaluation.eval["precision"][0, :, :, 0, 0]  # (101 levels, classes); -1 where a class has no object
    return {c: curves[:, k].mean() for k, c in enumerate(labels) if curves[0, k] >= 0}


def random_case(seed: int) -> tuple[list[dict], list[dict]]:
    """Scenes with few objects, and detections with equal scores, duplicates, wrong classes and false alarms.

    Some images are empty, some classes occur on one side only. Boxes are jittered: no IoU lies at a threshold.
    """
    rng = np.random.default_rng(seed)
    targets, detections = [], []
    for _ in range(int(rng.integers(2, 9))):
        count = int(rng.choice([0, 0, 1, 2, 5]))
        blind = rng.random() < 0.2  # nothing is detected in this image
        low = rng.uniform(0, 60, (count, 2))
        boxes, labels = np.hstack([low, low + rng.uniform(10, 40, (count, 2))]), rng.integers(1, 5, count)
        again = rng.integers(0, count, int(rng.integers(0, 2 * count + 1))) if count else np.array([], int)
        again, strays = (again[:0], 0) if blind else (again, int(rng.integers(0, 4)))
        stray = rng.uniform(0, 60, (strays, 2))
        seen = np.vstack([boxes[again] + rng.normal(0, 3, (len(again), 4)), np.hstack([stray, stray + 20])])
        classes = np.concatenate([labels[again], rng.integers(1, 7, strays)])
        classes = np.where(rng.random(len(classes)) < 0.15, rng.integers(1, 7, len(classes)), classes)
        scores = rng.integers(1, 8, len(seen)) / 8  # exact, and often equal
        targets.append({"boxes": torch.tensor(boxes).float(), "labels": torch.tensor(labels)})
        detections.append(
            {
                "boxes": torch.tensor(seen).float().reshape(-1, 4),
                "scores": torch.tensor(scores).float(),
                "labels": torch.tensor(classes),
            }
        )
    if not any(len(one["labels"]) for one in targets):
        targets[0] = {"boxes": torch.tensor([[1.0, 2.0, 30.0, 40.0]]), "labels": torch.tensor([6])}
    return detections, targets


def answers() -> dict[str, Callable]:
    """Each implementation as a function of detections, targets and threshold that gives (mean, by class)."""
    _, reference = functions(ASSIGNMENT, "average_precision", "mean_average_precision")
    (hidden,) = functions(ASSIGNMENT, "reference", inside="_test_metric")

    def independent(detections: list[dict], targets: list[dict], threshold: float) -> tuple[float, dict]:
        by_class = hidden(detections, targets, threshold)
        return sum(by_class.values()) / len(by_class), by_class

    return {"reference answer": reference, "hidden tests": independent}


@pytest.mark.parametrize("threshold", [0.5, 0.75])
@pytest.mark.parametrize("who", ["reference answer", "hidden tests"])
def test_agrees_with_pycocotools(who, threshold):
    measure, values = answers()[who], []
    for seed in range(25):
        detections, targets = random_case(seed)
        expected = pycocotools_at(threshold, detections, targets)
        mean, by_class = measure(detections, targets, threshold)
        assert by_class == pytest.approx(expected, abs=1e-6), f"case {seed}"
        assert mean == pytest.approx(np.mean(list(expected.values())), abs=1e-6), f"case {seed}"
        values += expected.values()
    # The cases say something: neither all right nor all wrong.
    assert sum(0 < v < 1 for v in values) > 25


def test_cases_hold_what_they_promise():
    cases = [random_case(seed) for seed in range(25)]
    images = [pair for case in cases for pair in zip(*case, strict=True)]
    assert any(len(target["labels"]) == 0 and len(found["labels"]) > 0 for found, target in images)
    assert any(len(found["labels"]) == 0 and len(target["labels"]) > 0 for found, target in images)
    assert any(len(found["scores"]) > len(found["scores"].unique()) for found, _ in images)

    def classes(one_side):
        return {c for one in one_side for c in one["labels"].tolist()}

    assert any(classes(found) - classes(target) for found, target in cases)
    assert any(classes(target) - classes(found) for found, target in cases)


def test_the_training_tests_metric_agrees_with_pycocotools():
    (measure,) = functions(ASSIGNMENT, "measure", inside="_test_train")
    for seed in range(25):
        detections, targets = random_case(seed)
        for label in range(1, 11):  # it takes all ten classes to occur
            targets[0]["boxes"] = torch.cat(
                [targets[0]["boxes"], torch.tensor([[200.0 + 50 * label, 0, 230 + 50 * label, 30]])]
            )
            targets[0]["labels"] = torch.cat([targets[0]["labels"], torch.tensor([label])])
        expected = pycocotools_at(0.5, detections, targets)
        mean, by_class = measure(detections, targets)
        assert dict(enumerate(by_class, 1)) == pytest.approx(expected, abs=1e-6), f"case {seed}"
        assert mean == pytest.approx(np.mean(list(expected.values())), abs=1e-6), f"case {seed}"


def test_the_lessons_metric_agrees_with_pycocotools():
    *_, measure = functions(LESSON, "precision_recall", "area_101", "ap_by_class")
    for seed in range(25):
        detections, targets = random_case(seed)
        expected = pycocotools_at(0.5, detections, targets)
        assert measure(detections, targets) == pytest.approx(expected, abs=1e-6), f"case {seed}"


@pytest.mark.parametrize(
    ("slip", "mended"),
    [
        ("(iou >= threshold).any()", "(iou >= 0.9).any()"),
        ("free[iou.argmax()] = 0", "pass"),
        ("recall >= level / 100", "recall > level / 100"),
    ],
)
def test_a_slip_would_show(slip, mended, tmp_path):
    text = ASSIGNMENT.read_text("utf-8")
    assert slip in text
    changed = tmp_path / "changed.py"
    changed.write_text(text.replace(slip, mended), "utf-8")
    _, measure = functions(changed, "average_precision", "mean_average_precision")
    differs = 0
    for seed in range(12):
        detections, targets = random_case(seed)
        expected = pycocotools_at(0.5, detections, targets)
        differs += measure(detections, targets, 0.5)[1] != pytest.approx(expected, abs=1e-6)
    assert differs
