# Set-up: run this cell first. It installs what is missing, in Colab for example, and changes nothing else.
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

COURSE = os.environ.get("DLCOURSE_PACKAGE", "")
sys.path += [str(p) for p in Path.cwd().parents if (p / "dlcourse" / "__init__.py").is_file()]
for package, origin in {"dlcourse": COURSE, "d2l": "d2l==1.0.3"}.items():
    if importlib.util.find_spec(package) is not None:
        continue
    if not origin:
        raise ImportError(
            f"{package} is missing: set DLCOURSE_PACKAGE to the course's folder or wheel, then run again."
        )
    # Without dependencies: torch, numpy and the rest stay as they are (d2l would ask for versions of 2022).
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", origin]
    if (run := subprocess.run(pip, capture_output=True, text=True)).returncode:
        raise ImportError(f"{package} could not be installed; is there a network?\n{run.stderr[-500:]}")
