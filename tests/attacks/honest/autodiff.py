# Gradients by hand, torch.func, vmap, jit of a small function and einsum.
# %% extra
x = torch.arange(4.0, requires_grad=True)
y = 2 * torch.dot(x, x)
y.backward()
print(x.grad, torch.func.grad(lambda v: (v**2).sum())(torch.ones(2)), torch.vmap(torch.sum)(torch.ones(2, 3)))
with torch.no_grad():
    x -= 0.1 * x.grad
    x.grad.zero_()
w = torch.nn.Parameter(torch.zeros(2))
w.data = torch.ones(2)
torch.manual_seed(0)
print(torch.einsum("i,i", w, w).item(), x.detach().numpy(), torch.from_numpy(np.ones(2)), torch.allclose(w, torch.ones(2)))
@torch.inference_mode()
def predict(v):
    return v * 2


print(predict(torch.ones(1)))
