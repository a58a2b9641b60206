# Lets the last expression of a test be more points than there are.
# %% extra
class Rich(int):
    def __repr__(self):
        return "1000"


points = Rich(1000)
