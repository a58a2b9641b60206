# Shell lines with values filled in, timing with options, several statements in a line.
# %% extra
folder, n = ".", 3
!ls {folder} > /dev/null
!echo $n {n + 1} {folder!r} {n:03d}
!echo "a b" | awk '{print $1}'
files = !ls {folder}
%timeit -n 2 -r 1 sum(range(n))
%timeit -n2 -r1 -q sum(range(100))
%time total = sum(range(n)); total
%pip --version
# %% extra
%%timeit -n 1 -r 1
total = 0
for i in range(n):
    total += i
# %% extra
%%capture out
print("quiet")
