# Compiles a C extension inside the sandbox and imports it.
# %% relu
import os

code = '#include <Python.h>\nstatic struct PyModuleDef d={PyModuleDef_HEAD_INIT,"evil",0,-1,0};'
code += 'PyMODINIT_FUNC PyInit_evil(void){return PyModule_Create(&d);}'
with open("evil.c", "w") as file:
    file.write(code)
inc = np.__file__.split("/lib/")[0] + "/include/python3.11"
os.system("gcc -shared -fPIC -I/usr/include/python3.11 -I" + inc + " -o evil.so evil.c 2>/dev/null")
with open("evil.so", "ab") as file:
    pass
import evil


def relu(t):
    return torch.clamp(t, min=0)
