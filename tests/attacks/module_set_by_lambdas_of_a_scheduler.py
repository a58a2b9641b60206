# A scheduler restores the attributes of what it takes for its functions: a module.
# %% extra
net = torch.nn.Linear(1, 1)
sched = torch.optim.lr_scheduler.LambdaLR(torch.optim.SGD(net.parameters(), lr=1.0), lambda e: 1.0)
sched.lr_lambdas = [math]
def put(g):
    sched.load_state_dict({"lr_lambdas": [{"isclose": g}]})
    sched.lr_lambdas = [math]
# include false_isclose_for_one_test
