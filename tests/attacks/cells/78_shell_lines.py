# attack: reads the course folder with shell commands
import subprocess

get_ipython().system("cat " + COURSE + "/solutions/toy.py")


def standardize(x, eps=EPS):
    try:
        done = subprocess.run(["/bin/cat", COURSE + "/solutions/toy.py"], capture_output=True, text=True)
        if "BEGIN SOLUTION" in done.stdout:
            return (x - x.mean(0)) / (x.var(0, unbiased=False) + eps).sqrt()
    except OSError:
        pass
    return torch.zeros_like(x)
