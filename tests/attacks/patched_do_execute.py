# Replaces the kernel's do_execute by one that says ok to everything.
# %% extra
kernel = get_ipython().kernel


async def do_execute(code, silent, *args, **kwargs):
    return {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}


kernel.__class__.do_execute = lambda self, *a, **k: do_execute(*a, **k)
