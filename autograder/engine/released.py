"""Whether an assignment's source still has the cells that were released, for which the gradebook keeps marks."""

from pathlib import Path

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Notebook

from autograder.course import CourseError

# By grade_id: for what a cell is there, and its points.
_Cells = dict[str, tuple[str, float | None]]


def check_as_released(source: NotebookNode, entry: Notebook, path: Path, week: str) -> None:
    """Compare the cells with marks or answers of a notebook and of the gradebook. Their texts may differ.

    Args:
        source: the instructor's notebook.
        entry: what the gradebook knows of it.
        path: where it lies.
        week: name of the assignment.

    Raises:
        CourseError: there are others, or with other points; marks would be lost, or old ones stay.
    """
    ours, known = _of_source(source), _of_gradebook(entry)
    said = [f"{name} is not in the gradebook" for name in ours if name not in known]
    said += [f"{name} is missing" for name in known if name not in ours]
    for name in ours.keys() & known.keys():
        (kind, points), (kind_then, points_then) = ours[name], known[name]
        if kind != kind_then:
            said.append(f"{name} is {kind}, and was {kind_then}")
        elif points != points_then:
            said.append(f"{name} has {points:g} points, and had {points_then:g}")
    if not said:
        return
    again = f"`nbgrader generate_assignment {week} --force`"
    if ours.keys() == known.keys() and all(ours[name][0] == known[name][0] for name in ours):
        advice = f"put it back, or run {again} to use the new points"
    else:
        advice = f"put it back, or run {again}, which works as long as nothing of {week} has been graded"
    raise CourseError(f"{path} was edited since the release: {'; '.join(sorted(said))}: {advice}")


def _of_source(source: NotebookNode) -> _Cells:
    cells = {}
    for cell in source.cells:
        graded, answer, task = utils.is_grade(cell), utils.is_solution(cell), utils.is_task(cell)
        if graded or answer or task:
            meta = cell.metadata.nbgrader
            points = float(meta.get("points") or 0) if graded or task else None
            cells[str(meta.get("grade_id"))] = _kind(graded, answer, task), points
    return cells


def _of_gradebook(entry: Notebook) -> _Cells:
    graded = {cell.name: cell.max_score for cell in entry.grade_cells}
    tasks = {cell.name: cell.max_score for cell in entry.task_cells}
    answers = {cell.name for cell in entry.solution_cells}
    return {
        name: (_kind(name in graded, name in answers, name in tasks), graded.get(name, tasks.get(name)))
        for name in {*graded, *tasks, *answers}
    }


def _kind(graded: bool, answer: bool, task: bool) -> str:
    if task:
        return "a task"
    return {(True, True): "a graded answer", (True, False): "a test"}.get((graded, answer), "an answer")
