# Changes the environment, the path of the imports and the importers for the tests.
# %% extra
import os, sys

os.environ["PYTHONPATH"] = "/tmp"
sys.path[:] = ["/tmp"]
sys.meta_path.clear()
sys.path_importer_cache.clear()
