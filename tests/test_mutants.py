"""The mistakes that `autograder quality` makes out of a reference answer."""

import ast
import inspect

import pytest

from autograder.quality.mutants import diff, mutants


def made(body: str, header: str = "def f(x, y=1):") -> set[str]:
    """Return the changed lines of all mutants of a function."""
    inner = inspect.cleandoc(body).replace("\n", "\n    ")
    answer = f'{header}\n    """Not changed: 1 + 1."""\n    ### BEGIN SOLUTION\n    {inner}\n    ### END SOLUTION'
    found = mutants(answer)
    assert len({mutant.source for mutant in found}) == len(found)
    for mutant in found:
        ast.parse(mutant.source)
        assert "SOLUTION" not in mutant.source and "Not changed: 1 + 1." in mutant.source
    return {line.removeprefix("+ ") for mutant in found for line in mutant.diff if line.startswith("+")}


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ("return x + y", "return x - y"),
        ("return x @ y", "return x * y"),
        ("return x < y", "return x <= y"),
        ("return x < y", "return x > y"),
        ("return x.mean(dim=1, keepdim=True)", "return x.mean(dim=1)"),
        ("return x.mean(dim=1, keepdim=True)", "return x.sum(dim=1, keepdim=True)"),
        ("return x.mean(dim=1, keepdim=True)", "return x.mean(dim=0, keepdim=True)"),
        ("return x.mean(dim=1, keepdim=True)", "return x.mean(dim=1, keepdim=False)"),
        ("return x.T @ y", "return x @ y"),
        ("return x.T @ y", "return (x.T @ y).detach()"),
        ("return -x", "return x"),
        ("return x[1:]", "return x[:]"),
        ("return x[:, 0]", "return x[0, :]"),
        ("return f(x, y)", "return f(y, x)"),
        ("return torch.exp(x)", "return x"),
        ("return x.detach()", "return x"),
        ("return x.clamp(min=0)", "return x.clamp_(min=0)"),
        ("return x if y else 0", "return 0 if y else x"),
        ("return [i for i in range(x)]", "return [i for i in range(0, x - 1)]"),
        ("return F.mse_loss(x, y, reduction='sum')", 'return F.mse_loss(x, y, reduction="mean")'),
        ("x = x - y\nreturn x", "x -= y"),
        ("x += y\nreturn x", "x = y"),
        ("x += y\nreturn x", "pass"),
        ("model.eval()\nreturn model(x)", "model.train()"),
        ("with torch.no_grad():\n    x = x - y\nreturn x", "if True:"),
        ("if x > 0:\n    raise ValueError\nreturn x", "if False:"),
        ("return 1e-6", "return 2e-06"),
        ("return x", "x"),
    ],
)
def test_the_mistakes_of_this_field_are_made(body, mistake):
    assert mistake in made(body)


def test_only_the_solution_is_changed():
    assert made("return x", header="def f(x, y=1, z=len([1, 2])):") == {"x", "return x.detach()"}


def test_numpy_has_no_gradients_to_cut_off():
    assert not any("detach" in line for line in made("return np.abs(x)"))


def test_sizes_have_neighbours_that_are_as_good():
    assert not any("257" in line or "255" in line for line in made("return nn.Linear(x, 256)"))


def test_a_difference_is_named_by_its_lines():
    assert diff("a\n    b = 1\nc", "a\n    b = 2\nc") == ("- b = 1", "+ b = 2")
