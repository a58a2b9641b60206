# Registers pre_run_cell and post_run_cell hooks, a custom exception handler and a silent showtraceback.
# %% extra
ip = get_ipython()
ip.events.register("pre_run_cell", lambda info: None)
ip.events.register("post_run_cell", lambda result: None)
ip.set_custom_exc((Exception,), lambda *a, **k: None)
ip.showtraceback = lambda *a, **k: None
