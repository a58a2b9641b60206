"""Text for a terminal: tables in aligned columns, and nothing that moves the cursor."""


def print_table(rows: list[list[str]]) -> None:
    """Print rows of equal length: the first column left, the last as it is, those between to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:-1], widths[1:-1], strict=True)), row[-1]]
        print("  ".join(cells).rstrip())


def one_line(text: str) -> str:
    """Return text that cannot move the terminal's cursor: ids and messages come from learners."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
