"""A small nbgrader course of odd cells, and what a gradebook says: shared by the tests of the engine."""

import shutil
from pathlib import Path

import nbformat
from conftest import nbgrader
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

from autograder.variants import fill_answers

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "course"
c.Execute.timeout = 4
c.OverwriteCells.add_missing_cells = True
c.ClearMarkScheme.enforce_metadata = False
"""
STOCK_RULES = "c.SandboxedExecute.stock_rules = True\n"


def given(name, source, kind="code"):
    return _cell(kind, source, grade_id=name, grade=False, locked=True, solution=False, task=False)


def answer(name, source, points=None, kind="code"):
    graded = {"grade": points is not None} | ({} if points is None else {"points": points})
    return _cell(kind, source, grade_id=name, locked=False, solution=True, task=False, **graded)


def graded_test(name, source, points=1):
    return _cell("code", source, grade_id=name, grade=True, locked=True, solution=False, task=False, points=points)


def task(name, source, points):
    fields = {"grade_id": name, "grade": False, "locked": True, "solution": False, "task": True, "points": points}
    return _cell("markdown", source, **fields)


def _cell(kind, source, **fields):
    make = new_code_cell if kind == "code" else new_markdown_cell
    return make(source, metadata={"nbgrader": {"schema_version": 3, **fields}})


def make_course(root: Path, notebooks: dict[str, list], config: str = CONFIG, assignment: str = "ps") -> Path:
    """Make a released course of one assignment."""
    folder = root / "source" / assignment
    folder.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    for name, cells in notebooks.items():
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / f"{name}.ipynb")
    nbgrader(root, "generate_assignment", assignment)
    return root


def released_notebook(root: Path, name: str, assignment: str = "ps"):
    return nbformat.read(root / "release" / assignment / f"{name}.ipynb", as_version=4)


def hand_in(root: Path, student: str, name: str, notebook=None, assignment: str = "ps", **answers: str) -> Path:
    """Hand in a notebook, or the release with some answers."""
    if notebook is None:
        notebook = fill_answers(released_notebook(root, name, assignment), answers)
    path = root / "submitted" / student / assignment / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def cell_of(notebook, grade_id: str):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def open_gradebook(root: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{root / 'gradebook.db'}")


def everything(root: Path, assignment: str = "ps") -> dict:
    """All that the gradebook says about submissions, cell by cell."""
    said = {}
    with open_gradebook(root) as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            who = submission.student_id
            said[who, "total"] = (submission.score, submission.max_score, submission.needs_manual_grade)
            for notebook in submission.notebooks:
                said[who, notebook.name] = (notebook.score, notebook.late_submission_penalty)
                for g in notebook.grades:
                    marks = (g.auto_score, g.manual_score, g.extra_credit, g.score, g.max_score, g.needs_manual_grade)
                    said[who, notebook.name, g.name] = marks
                for c in notebook.comments:
                    said[who, notebook.name, c.name, "comment"] = (c.auto_comment, c.manual_comment)
    return said


def marks(root: Path, student: str, assignment: str = "ps") -> dict:
    """One learner's points by grade_id; None where a person must give them."""
    with open_gradebook(root) as gradebook:
        grades = [g for n in gradebook.find_submission(assignment, student).notebooks for g in n.grades]
        return {g.name: None if g.needs_manual_grade else g.score for g in grades}


def copy_of(course: Path, target: Path, config: str) -> Path:
    """Copy a course and give it another configuration."""
    shutil.copytree(course, target)
    (target / "nbgrader_config.py").write_text(config, "utf-8")
    return target
