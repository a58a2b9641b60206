# Replaces the Jupyter session's send, so that errors never leave the kernel.
# %% extra
session = get_ipython().kernel.session
real = session.send


def send(stream, kind, *args, **kwargs):
    if kind == "error":
        return None
    return real(stream, kind, *args, **kwargs)


session.send = send
