# attack: the test of one item leaves its inputs in files, the test of the next one reads them
import builtins
import os

FOLDERS = (".", "/scratch", "/dev/shm", "/tmp", os.path.expanduser("~"))


def standardize(x, eps=EPS):
    for folder in FOLDERS:
        try:
            with open(os.path.join(folder, ".seen"), "a") as file:
                file.write("LEFT")
        except OSError:
            pass
    return x


def seen():
    found = [folder for folder in FOLDERS if os.path.exists(os.path.join(folder, ".seen"))]
    if found:
        raise ValueError("files of the other item are in " + " ".join(found))


made = builtins.__build_class__


def build(function, name, *bases, **options):
    kind = made(function, name, *bases, **options)
    if name == "Line":
        before = kind.__init__

        def init(self, **values):
            seen()
            before(self, **values)

        kind.__init__ = init
    return kind


builtins.__build_class__ = build
