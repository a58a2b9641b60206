"""Build the notebooks of `notebooks/` and `source/` from their text twins, and refuse faulty ones.

- `twins`: text to notebook and back.
- `lint`: the rules a graded notebook must follow, reported with file and line.
- `managed`: the two cells the build owns, the Colab badge and the set-up cell.
"""
