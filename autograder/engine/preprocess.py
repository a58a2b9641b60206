"""Plain `nbgrader autograde` with the engine: preprocessors that nbgrader_config.py names.

They take the places of nbgrader's own: `Restore` of DeduplicateIds, OverwriteKernelspec and
OverwriteCells, `SandboxedExecute` of Execute, `SaveGrades` of SaveAutoGrades. `nbgrader validate` is not
concerned: it runs a learner's own code on the learner's own machine.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Integer

from autograder.engine.plan import Plan, as_released, make_plan
from autograder.engine.restore import restore


class _OfCourse(NbGraderPreprocessor):
    """What the preprocessors below have in common: they know the course they work in."""

    def _coursedir(self) -> CourseDirectory:
        owner = self.parent
        while owner is not None:
            if getattr(owner, "coursedir", None) is not None:
                return owner.coursedir
            owner = getattr(owner, "parent", None)
        return CourseDirectory(parent=self)

    def _folder(self, step: str, resources: dict) -> Path:
        coursedir, names = self._coursedir(), resources["nbgrader"]
        student = "." if step == "source" else names["student"]
        directory = getattr(coursedir, f"{step}_directory")
        return Path(coursedir.format_path(directory, student, names["assignment"])).absolute()

    def _master(self, resources: dict) -> tuple[NotebookNode, dict[str, str]]:
        """Return the instructor's notebook as it was released, and the checksums of its cells."""
        names = resources["nbgrader"]
        path = self._folder("source", resources) / f"{names['notebook']}.ipynb"
        source = nbformat.read(path, as_version=4)
        with Gradebook(names["db_url"], self._coursedir().course_id) as gradebook:
            cells = gradebook.find_notebook(names["notebook"], names["assignment"]).source_cells
            as_released(source, {cell.name: cell.source for cell in cells})
            return source, {cell.name: cell.checksum for cell in cells}


class Restore(_OfCourse):
    """Brings a submitted notebook back to the form of its assignment (see autograder/engine/restore.py)."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Restore one notebook and log what was mended."""
        handed_in = self._folder("submitted", resources) / f"{resources['nbgrader']['notebook']}.ipynb"
        if handed_in.is_symlink() or handed_in.parent.is_symlink():
            raise NbGraderException(f"{handed_in} is a link, which is not followed; run `autograder intake` first")
        source, checksums = self._master(resources)
        for sentence in restore(nb, source, checksums):
            self.log.warning("%s: %s", resources["nbgrader"]["student"], sentence)
        return nb, resources


class SandboxedExecute(_OfCourse, Execute):
    """Runs a submitted notebook in a sandbox, its tests through the gate (see autograder/engine/execute.py)."""

    allow_without_sandbox = Bool(
        False,
        help="""Where no sandbox can be made, run learners' code without one, with your own rights, as nbgrader
        does. Nothing then keeps it from your files, the gradebook and the hidden tests.""",
    ).tag(config=True)
    stock_rules = Bool(
        False,
        help="""Judge as nbgrader does where the engine is fairer: no points for a test that writes to stderr,
        and the same time limit for every cell.""",
    ).tag(config=True)
    memory_mb = Integer(2048, help="Memory a submission may use beyond what the warm process shares.").tag(config=True)

    _has_worked = False

    def preprocess(self, nb: NotebookNode, resources: dict, km: object = None) -> tuple[NotebookNode, dict]:
        """Execute one notebook."""
        source, _ = self._master(resources)
        try:
            nb.metadata["autograder"] = self._in_sandbox(nb, make_plan(source), resources)
            SandboxedExecute._has_worked = True
        except _no_sandbox_errors() as error:
            # Where there can be sandboxes, a learner who makes one fail does not get out of it.
            if not self.allow_without_sandbox or SandboxedExecute._has_worked:
                raise NbGraderException(
                    f"no sandbox could be made ({error}), so this learner's code was not run.\n"
                    "`autograder doctor` says what is missing. To run such code without protection, with your own "
                    "rights, set c.SandboxedExecute.allow_without_sandbox = True in nbgrader_config.py."
                ) from None
            self.log.warning("No sandbox (%s): this runs with your own rights", error)
            nb, resources = Execute.preprocess(self, nb, resources)
            nb.metadata["autograder"] = {"sandbox": "none", "needs_human": [], "remarks": []}
        # The notebook's metadata are cleared on the way to SaveGrades.
        resources["autograder"] = dict(nb.metadata["autograder"])
        return nb, resources

    def _in_sandbox(self, nb: NotebookNode, plan: Plan, resources: dict) -> dict:
        # Not at the top: where there are no sandboxes, parts of the engine cannot even be imported.
        from autograder.engine.execute import Settings, execute
        from autograder.engine.folder import read_folder
        from autograder.engine.sandbox import Limits
        from autograder.engine.submission import write_files
        from autograder.engine.warm import shared_warm_process

        timeout = self.timeout or Settings.cell_timeout
        settings = Settings(
            cell_timeout=timeout,
            notebook_timeout=max(Settings.notebook_timeout, 2 * timeout),
            limits=Limits(memory_mb=self.memory_mb),
            stock_rules=self.stock_rules,
        )
        with tempfile.TemporaryDirectory(prefix="ag-work-") as temporary:
            work = Path(temporary)
            ignore = ["*.ipynb", "timestamp.txt", *self._coursedir().ignore]
            # From where the learner put them: a link there has become a file in the graded folder.
            for step in ("submitted", "source"):
                files, remarks = read_folder(self._folder(step, resources))
                for remark in remarks:
                    self.log.warning("%s: %s", resources["nbgrader"]["student"], remark)
                write_files(files, work, ignore)
            used = work if any(work.iterdir()) else None
            # In a thread: the form grader calls this from within its event loop.
            with ThreadPoolExecutor(1) as thread:
                execution = thread.submit(lambda: execute(nb, plan, shared_warm_process(), settings, used)).result()
        who = resources["nbgrader"]["student"]
        for remark in execution.remarks:
            self.log.warning("%s: %s", who, remark)
        if execution.needs_human:
            self.log.warning("%s NEEDS A HUMAN: %s", who, "; ".join(execution.needs_human))
        return {"sandbox": "namespaces", "needs_human": execution.needs_human, "remarks": execution.remarks}


def _no_sandbox_errors() -> tuple[type[BaseException], ...]:
    try:
        from autograder.engine.sandbox import SandboxError
    except (ImportError, AttributeError) as error:
        return (type(error),)
    return (SandboxError,)


class SaveGrades(SaveAutoGrades):
    """Stores grades as nbgrader does, but no points by tests that a human has to look at."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Store one notebook's grades, and leave word in it for the feedback page."""
        said = resources.get("autograder", {})
        self._suspected = bool(said.get("needs_human"))
        nb, resources = super().preprocess(nb, resources)
        nb.metadata["autograder"] = said
        return nb, resources

    def _add_score(self, cell: NotebookNode, resources: dict) -> None:
        from autograder.engine.gradebook import store_grade

        names = (self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(cell.metadata.nbgrader["grade_id"], *names)
        store_grade(grade, cell, suspected=self._suspected)
        self.gradebook.db.commit()
