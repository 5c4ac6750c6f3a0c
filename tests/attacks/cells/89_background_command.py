# attack: starts shell commands that hold the output pipe and go on after the session
import subprocess

try:
    get_ipython().system("sleep 1000 &")
except OSError:
    pass
get_ipython().system("(sleep 1000 >/dev/null 2>&1; echo later > later.txt) & true")
subprocess.Popen("setsid sleep 1000 >/dev/null 2>&1 &", shell=True)


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
