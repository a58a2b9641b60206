# vectorize, einsum, random generators, errstate, structured arrays, saving and loading.
# %% extra
rng = np.random.default_rng(0)
square = np.vectorize(lambda v: v**2)
with np.errstate(divide="ignore", invalid="ignore"):
    print(square(np.arange(3)), np.einsum("ij,jk", np.eye(2), np.ones((2, 2))), np.array([1.0]) / 0)
np.random.seed(3)
np.set_printoptions(precision=3)
people = np.array([("a", 1), ("b", 2)], dtype=[("name", "U5"), ("age", "i4")])
np.savez("arrays.npz", a=people)
print(np.load("arrays.npz")["a"]["age"], np.apply_along_axis(sum, 0, np.ones((2, 2))), np.frompyfunc(max, 2, 1)(1, 2))
np.testing.assert_allclose(rng.normal(size=3).shape, (3,))
# %% normalise
def normalise(a):
    centred = a - np.mean(a)
    return centred / np.sqrt(np.mean(centred**2))
