"""The packages and the memory that grading one problem needs in a container, found by grading its solution."""

from __future__ import annotations

import ast
import functools
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType

from autograder.core.errors import SetupError

MEMORY_FILE = Path(__file__).with_name("memory.toml")
OURS = ("autograder", "homework")
_FROM_TORCH_INDEX = ("torch", "torchvision")
_packages_distributions = functools.cache(packages_distributions)
_START = (
    "import sys; sys.path[:] = {path!r}; "
    "from autograder.gradescope.requirements import report; report({problem!r}, {root!r})"
)


@dataclass(frozen=True)
class Container:
    """A container size that Gradescope offers."""

    name: str
    """Its name in Gradescope's settings."""
    megabytes: int


CONTAINERS = (
    Container("0.5 CPU, 0.75GB RAM (the default)", 768),
    Container("1 CPU, 1.5GB RAM", 1536),
    Container("2 CPU, 3GB RAM", 3072),
    Container("4 CPU, 6GB RAM", 6144),
)
"""Smallest first."""


@dataclass(frozen=True)
class Packages:
    """Distributions, each as `name==version`, in alphabetical order."""

    torch: tuple[str, ...]
    """Packages from PyTorch's index."""
    others: tuple[str, ...]
    """Other packages that the autograder, `homework` or the problem import themselves."""
    pins: tuple[str, ...]
    """All packages that were used; pip finds their dependencies."""


@dataclass(frozen=True)
class Memory:
    """Resources for grading a problem's solution, from the start of `run_autograder` to its end."""

    own: int
    """Peak memory of all processes, without files, in megabytes (2**20 bytes); shared memory counts once."""
    libraries: int
    """Megabytes of libraries in memory; the kernel can reclaim unused parts."""
    cpu: float
    """Seconds of CPU time."""
    default: float
    """Seconds in the default container; 0 if grading failed there."""

    @property
    def container(self) -> Container:
        """The smallest container that fits the libraries and 1.1 times its own memory."""
        needed = 1.1 * self.own + self.libraries
        possible = CONTAINERS if self.default else CONTAINERS[1:]
        return next((container for container in possible if needed <= container.megabytes), CONTAINERS[-1])


def measured() -> tuple[str, Mapping[str, Memory]]:
    """Reads `memory.toml`: the command that measured, and the figures by problem id."""
    table = tomllib.loads(MEMORY_FILE.read_text(encoding="utf-8"))
    return table["command"], {problem: Memory(**figures) for problem, figures in table["problems"].items()}


def packages_for(problem_id: str, root: Path) -> Packages:
    """Finds the packages that grading this problem imports, by grading its solution in a new process.

    Raises:
        SetupError: the solution could not be graded.
    """
    start = _START.format(path=sys.path, problem=problem_id, root=str(root))
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        raise SetupError(
            f"the solution of {problem_id!r} could not be graded, so its packages are not known: {last[0]}"
        )
    return Packages(**{part: tuple(names) for part, names in json.loads(done.stdout.splitlines()[-1]).items()})


def report(problem_id: str, root: str) -> None:
    """Prints the packages as JSON. Runs in a process that has imported nothing else."""
    from autograder.gradescope.grade import imported_while_grading

    direct, loaded = imported_while_grading(problem_id, Path(root))
    guest = (Path(__file__).parents[1] / "sandbox" / "guest").glob("*.py")  # its process may need other libraries
    needed = _distributions(direct | _imports_of(guest) - ({"torch"} - loaded))
    parts = {
        "torch": sorted(needed & set(_FROM_TORCH_INDEX)),
        "others": sorted(needed - set(_FROM_TORCH_INDEX)),
        "pins": sorted(_distributions(loaded) | needed),
    }
    versions = {name: version(name).partition("+")[0] for name in parts["pins"]}  # without `+cpu` of one index
    print(json.dumps({part: [f"{name}=={versions[name]}" for name in names] for part, names in parts.items()}))


def imports_of_ours(modules: Mapping[str, ModuleType]) -> set[str]:
    """Top-level names of the loaded modules that our own loaded modules import directly."""
    places = [getattr(module, "__file__", None) for name, module in modules.items() if name.partition(".")[0] in OURS]
    files = [Path(place) for place in places if place]
    return _imports_of(files) & {name.partition(".")[0] for name in modules}


def _imports_of(files: Iterable[Path]) -> set[str]:
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _distributions(modules: Iterable[str]) -> set[str]:
    """The distributions that provide these modules; none for the standard library."""
    providers = _packages_distributions()
    known = {name for module in modules for name in providers.get(module, ())}
    return {name for name in known if name.partition("-")[0] not in OURS and "homework" not in name}
