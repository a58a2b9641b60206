# Generators, contexts in a stack, finalizers, and an async cell.
# %% extra
import asyncio
import weakref
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import StringIO


@contextmanager
def section(name):
    print("in", name)
    try:
        yield name
    finally:
        print("out", name)


with ExitStack() as stack:
    names = [stack.enter_context(section(n)) for n in "ab"]


class Thing: ...


thing = Thing()
finalizer = weakref.finalize(thing, print, "gone")
del thing
buffer = StringIO()
with redirect_stdout(buffer):
    print("hidden")
# %% extra
async def wait(n):
    await asyncio.sleep(0.01)
    return n


print(await asyncio.gather(wait(1), wait(2)))
task = asyncio.create_task(wait(3))
# %% double
def double(x):
    def twice():
        yield x
        yield x

    first, second = twice()
    return first + second
