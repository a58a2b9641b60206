"""Configuration of every nbgrader command run from the course's root, and of JupyterLab's nbgrader panels."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - given by traitlets
ROOT = Path(__file__).resolve().parent

c.CourseDirectory.course_id = "dlcourse"

# nbgrader copies every file that is not a notebook from source/ to the learners and into each graded
# folder. The text twins and variants hold the solutions, so they stay where they are.
_SOURCE_TEXTS = sorted({path.name for path in (ROOT / "source").glob("*/*.py")})
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".pytest_cache", *_SOURCE_TEXTS]

# A rubric stands in the locked question above a hand-graded answer, not in a "task" cell: an answer
# cell that was left as it is then gets its 0 without waiting for a grader. The gradebook keeps locked
# cells, so graders see the rubric again; the build refuses a rubric anywhere else.
c.ClearMarkScheme.enforce_metadata = False

# release/ is committed and derived: generating an assignment again always replaces it.
c.GenerateAssignment.force = True

# A training cell may take two minutes on a slow machine; nbgrader's own limit is 30 seconds.
c.Execute.timeout = 120

# Plain `nbgrader autograde`, in the terminal or the form grader, uses the engine of `autograder grade` (which
# also works in parallel): learners' code runs in a sandbox, tests through a gate that their code cannot
# forge, deleted or edited cells come back. Where no sandbox can be made it refuses; to run learners' code
# all the same, with your own rights and nothing between it and your files:
# c.SandboxedExecute.allow_without_sandbox = True
# To judge exactly as stock nbgrader where the engine is fairer (docs/grading.md lists the differences):
# c.SandboxedExecute.stock_rules = True
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "autograder.engine.preprocess.Restore",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "autograder.engine.preprocess.SandboxedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.outputs.LimitOutputSize",
    "autograder.engine.preprocess.SaveGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Feedback returns to learners, who hand in again and talk to next year's class: without HideGraderText
# nbgrader prints the hidden tests and the rubrics there, and without this exporter their scripts run in
# the page. For nbgrader's own pages: c.HideGraderText.enabled = False, c.FeedbackPage.harmless = False.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "autograder.feedback.HideGraderText",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.GenerateFeedback.exporter_class = "autograder.feedback.FeedbackPage"

# Folder and file names as Moodle and Canvas make them: see autograder/downloads.py.
c.ZipCollectApp.collector_plugin = "autograder.downloads.DownloadNames"

# One thread a kernel: results do not depend on the machine's cores, and small tensors run no slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
