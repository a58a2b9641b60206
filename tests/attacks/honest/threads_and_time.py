# Counting time, random, statistics, decimals, fractions, datetime, collections and copy.
# %% extra
import copy
import datetime
import random
import statistics
import string
import time
from collections import Counter, OrderedDict, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction

random.seed(1)
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(lambda v: v + 1, range(3))))
print(Counter("abca"), defaultdict(list), deque([1], maxlen=2), OrderedDict(a=1), copy.deepcopy([[1]]), statistics.mean([1, 2]))
print(Decimal("0.1"), Fraction(1, 3), datetime.datetime.now().year > 2000, time.time() > 0, string.ascii_letters[:3])
