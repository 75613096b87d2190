#!/usr/bin/env python3
"""Set up and run gtm_opt from a bare checkout. Needs nothing but Python 3.11 or newer.

    python3 dev.py demo      plan the built-in example: files in demo-plan/, a summary on screen
    python3 dev.py test      run the fast tests (further arguments go to pytest)

For work on the library itself:

    lint  types  slow  determinism  docs  notebooks  benchmarks  peers  wheel  floors  all

The first run makes a virtual environment in .venv (or where GTM_OPT_VENV points) and installs
into it. Later runs find it as it was and start at once. Nothing outside that folder is changed.
"""

# This file is read by whatever Python is called, also by one that is too old, so that it can say
# so: keep to the syntax of Python 3.6, and to the standard library.

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
NEWER_NAMES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python")
STAMP = "gtm-opt-dev.json"

# What each command needs beside the package itself: extras and dependency groups of pyproject.toml.
NEEDS = {
    "demo": ([], []),
    "test": (["all"], ["test"]),
    "slow": (["all"], ["test"]),
    "determinism": (["all"], ["test"]),
    "benchmarks": (["all"], ["test"]),
    "peers": (["all", "peers"], ["test"]),
    "lint": (["all"], ["lint"]),
    "types": (["all"], ["lint"]),
    "docs": (["all"], ["docs"]),
    "notebooks": (["all"], ["notebooks"]),
    "wheel": ([], []),
    "floors": ([], ["floors"]),
}

# A benchmark small enough to run on every change.
SMOKE = ["run", "frozen", "--seeds", "0", "--time-limit", "1", "--solvers", "greedy_lookahead,lpt"]


class Stop(Exception):
    """Ends the run with a message for the person at the keyboard."""


# --- The right Python -------------------------------------------------------------------------


def use_new_enough_python():
    """Go on under a Python that is new enough, or say what is missing."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER_NAMES:
        found = shutil.which(name)
        if found and version_of(found) >= OLDEST:
            sys.exit(subprocess.call([found, str(ROOT / "dev.py"), *sys.argv[1:]]))
    raise Stop(
        "gtm_opt needs Python {}.{} or newer; this is Python {}.{} ({}), and none of {} was found.\n"
        "Install a newer Python (with your system's package manager, or from python.org), then run\n\n"
        "    python3.11 dev.py {}".format(
            OLDEST[0],
            OLDEST[1],
            sys.version_info[0],
            sys.version_info[1],
            sys.executable,
            ", ".join(NEWER_NAMES[:4]),
            " ".join(sys.argv[1:]) or "demo",
        )
    )


def version_of(python):
    """Return ``(major, minor)`` of an interpreter; ``(0, 0)`` when it does not start."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        out = subprocess.run(
            [str(python), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=60
        )
        return tuple(int(part) for part in out.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return (0, 0)


# --- The virtual environment ------------------------------------------------------------------


def venv_path():
    """Return where the environment is, or will be."""
    given = os.environ.get("GTM_OPT_VENV")
    return Path(given).expanduser().resolve() if given else ROOT / ".venv"


def script_folder(venv):
    """Return the folder of an environment that holds its programs."""
    return Path(venv) / ("Scripts" if os.name == "nt" else "bin")


def python_in(venv):
    """Return the interpreter of an environment."""
    return script_folder(venv) / ("python.exe" if os.name == "nt" else "python")


def clean_environment(venv=None):
    """Return the environment variables without those that would lead pip or Python elsewhere."""
    env = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "__PYVENV_LAUNCHER__"):
        env.pop(name, None)
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    env["PIP_NO_INPUT"] = "1"
    if venv is not None:
        env["VIRTUAL_ENV"] = str(venv)
        env["PATH"] = str(script_folder(venv)) + os.pathsep + env.get("PATH", "")
    return env


def works(venv):
    """Tell whether an environment has this very Python version, and a pip that starts."""
    python = python_in(venv)
    if not python.exists() or version_of(python) != tuple(sys.version_info[:2]):
        return False
    return quiet([python, "-m", "pip", "--version"])[0]


def quiet(command):
    """Run a command without showing its output; return whether it worked, and the output."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=clean_environment(),
        )
    except OSError as error:
        return False, str(error)
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def make_venv(venv):
    """Make an environment with pip in it, by the first of several ways that works here."""
    venv = Path(venv)
    if venv.exists() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").exists():
        raise Stop(f"{venv} is not empty and is not a virtual environment. Point GTM_OPT_VENV at another folder.")
    said = []
    for commands in ways_to_make(venv):
        shutil.rmtree(str(venv), ignore_errors=True)
        for command in commands:
            worked, output = quiet(command)
            if not worked:
                lines = [line for line in output.strip().splitlines() if line.strip()] or ["no output"]
                said.append("  {}\n      {}".format(" ".join(str(part) for part in command), lines[-1].strip()))
                break
        if works(venv):
            return
    shutil.rmtree(str(venv), ignore_errors=True)
    raise Stop(
        "No virtual environment could be made in {}. Tried:\n{}\n\n"
        "Install one of these, then run the same command again:\n"
        "    Debian, Ubuntu   apt install python3-venv python3-pip\n"
        "    Fedora           dnf install python3-pip\n"
        "    elsewhere        uv, or virtualenv".format(venv, "\n".join(said))
    )


def ways_to_make(venv):
    """List the ways to make an environment, each as a list of commands."""
    python = sys.executable
    ways = [
        [[python, "-m", "venv", venv]],
        # Debian without python3-venv has no ensurepip, but its own pip can serve another environment,
        # also where it refuses to install for the system (PEP 668).
        [
            [python, "-m", "venv", "--without-pip", venv],
            [python, "-m", "pip", "--python", python_in(venv), "install", "-qq", "pip"],
        ],
        [[python, "-m", "virtualenv", "--python", python, venv]],
    ]
    if shutil.which("virtualenv"):
        ways.append([[shutil.which("virtualenv"), "--python", python, venv]])
    if shutil.which("uv"):
        ways.append([[shutil.which("uv"), "venv", "--seed", "--python", python, venv]])
    return ways


# --- What to install --------------------------------------------------------------------------


def read_project():
    """Return pyproject.toml as a dict."""
    import tomllib  # not there before Python 3.11

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def extra_requirements(project, extras):
    """List the requirements of extras, with extras that name other extras opened up."""
    own = project["project"]["name"] + "["
    found = []
    for extra in extras:
        for requirement in project["project"]["optional-dependencies"][extra]:
            if requirement.startswith(own):
                inner = [name.strip() for name in requirement[len(own) :].rstrip("]").split(",")]
                found += extra_requirements(project, inner)
            else:
                found.append(requirement)
    return found


def group_requirements(project, groups):
    """List the requirements of dependency groups, with groups that include others opened up."""
    found = []
    for group in groups:
        for entry in project["dependency-groups"][group]:
            found += group_requirements(project, [entry["include-group"]]) if isinstance(entry, dict) else [entry]
    return found


def requirements_of(command):
    """List what a command needs beside the package itself."""
    project = read_project()
    extras, groups = NEEDS[command]
    return sorted(set(extra_requirements(project, extras) + group_requirements(project, groups)))


def fingerprint(requirements):
    """Return a hash of all that an installation depends on."""
    parts = [sys.version, str(ROOT), (ROOT / "pyproject.toml").read_text(encoding="utf-8"), *requirements]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def ready(command):
    """Return the interpreter of an environment that has everything a command needs."""
    venv = venv_path()
    stamp = venv / STAMP
    try:
        done = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        done = {}
    requirements = requirements_of(command)
    package, wanted = fingerprint([]), fingerprint(requirements)
    python = python_in(venv)
    if wanted in done.get("sets", []) and version_of(python) == tuple(sys.version_info[:2]):
        return python
    if not works(venv):
        say(f"Making a virtual environment in {venv}")
        make_venv(venv)
        done = {}
    if done.get("package") != package:
        done = {"package": package, "sets": [package]}
        requirements = ["--editable", str(ROOT), *requirements]
    if requirements:
        say("Installing what is needed (a minute or two; only now, and when pyproject.toml changes)")
        pip_install(python, requirements)
    done["sets"] = sorted({*done["sets"], wanted})
    stamp.write_text(json.dumps(done), encoding="utf-8")
    return python


def pip_install(python, arguments):
    """Install into the environment of an interpreter."""
    command = [str(python), "-m", "pip", "install", "-qq", "--no-warn-script-location", *map(str, arguments)]
    if subprocess.call(command, env=clean_environment(), cwd=str(ROOT)) != 0:
        raise Stop("pip could not install what is needed; its message is above. Is a package index within reach?")


# --- Commands ---------------------------------------------------------------------------------


def say(text):
    """Tell what goes on, before the programs that are called say their part."""
    print(text, flush=True)


def run(command, cwd=ROOT, env=None, venv=None):
    """Run a command in an environment; return its exit code."""
    settings = clean_environment(venv if venv is not None else venv_path())
    settings.update(env or {})
    return subprocess.call([str(part) for part in command], cwd=str(cwd), env=settings)


def workers():
    """Return arguments that spread the tests over the processors, at most four."""
    return ["-n", str(max(1, min(4, os.cpu_count() or 1))), "--dist", "loadfile"]


def pytest(arguments, env=None, command="test"):
    """Run pytest in the checkout; having nothing to run is a failure."""
    return run([ready(command), "-m", "pytest", *arguments], env=env)


def demo(arguments):
    """Plan the built-in example where the caller stands."""
    ready("demo")
    return run([script_folder(venv_path()) / "gtm-opt", "demo", *arguments], cwd=Path.cwd())


def test(arguments):
    """Run the fast tests and the examples in docstrings and pages."""
    return pytest(["-m", "not slow", *workers(), *arguments])


def slow(arguments):
    """Run the tests that are marked slow."""
    code = pytest(["-m", "slow", *arguments], command="slow")
    return nothing_there("no test is marked slow yet") if code == 5 else code


def determinism(arguments):
    """Run the tests about repeatability under two other hash seeds, each with another kernel of the BLAS."""
    # kernels that every x86-64 with AVX2 can run; other BLAS and processors ignore the variable
    for seed, core in (("1", "Prescott"), ("271828", "Haswell")):
        env = {"PYTHONHASHSEED": seed, "OPENBLAS_CORETYPE": core}
        code = pytest(["-m", "determinism", *arguments], env=env, command="determinism")
        if code:
            return code
    return 0


def peers(arguments):
    """Run the tests that need other people's balancers, with these installed."""
    names = "k_means_constrained or prtpy or pymetis"
    code = pytest(["-k", names, *arguments], command="peers")
    return nothing_there("no test needs another balancer") if code == 5 else code


def lint(arguments):
    """Check style, format and import rules."""
    python = ready("lint")
    codes = [
        run([python, "-m", "ruff", "check", *arguments]),
        run([python, "-m", "ruff", "format", "--check"]),
        run([script_folder(venv_path()) / "lint-imports"]),
    ]
    return max(codes)


def types(arguments):
    """Check types, strictly."""
    return run([ready("types"), "-m", "mypy", *arguments])


def docs(arguments):
    """Build the pages; a warning is an error."""
    target = ROOT / "docs" / "_build"
    command = [ready("docs"), "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-d", target / "cache"]
    code = run([*command, *arguments, ROOT / "docs", target / "html"])
    if code == 0:
        say("The pages are in {}".format(target / "html"))
    return code


def notebooks(arguments):
    """Execute every notebook in a copy of its folder, so that none leaves traces in the checkout."""
    pages = sorted(path for path in (ROOT / "notebooks").glob("*") if path.suffix in (".ipynb", ".py", ".md"))
    pages = [path for path in pages if path.stem.lower() not in ("readme", "conftest", "__init__")]
    if not pages:
        return nothing_there("no notebooks yet")
    python = ready("notebooks")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "notebooks"
        shutil.copytree(str(ROOT / "notebooks"), str(copy))
        for page in pages:
            say(f"notebook {page.name}")
            target = copy / (page.stem + ".executed.ipynb")
            command = [python, "-m", "jupytext", "--to", "ipynb", "--set-kernel", "python3", "--execute", "--quiet"]
            if run([*command, "--output", target, copy / page.name, *arguments], cwd=copy):
                failed.append(page.name)
    say(
        "{} notebooks ran, {} failed{}".format(
            len(pages) - len(failed), len(failed), ": " * bool(failed) + ", ".join(failed)
        )
    )
    return 1 if failed else 0


def benchmarks(arguments):
    """Run the frozen instances with quick methods, to see that the benchmarks still run; or what is asked for."""
    if not (ROOT / "benchmarks" / "__main__.py").exists():
        return nothing_there("no benchmark runner yet (benchmarks/__main__.py)")
    return run([ready("benchmarks"), "-m", "benchmarks", *(arguments or SMOKE)])


def wheel(arguments):
    """Build the wheel, look into it, install it in an empty environment and make the demo plan."""
    with tempfile.TemporaryDirectory() as folder:
        built = build_wheel(Path(folder), arguments)
        check_wheel(built)
        venv = Path(folder) / "venv"
        make_venv(venv)
        pip_install(python_in(venv), [built])
        code = run([python_in(venv), "-W", "error", "-c", "import gtm_opt; print(gtm_opt.__file__)"], folder, venv=venv)
        return code or run([script_folder(venv) / "gtm-opt", "demo"], folder, venv=venv)


def build_wheel(folder, arguments):
    """Build the wheel into a folder; return its path."""
    command = [ready("wheel"), "-m", "pip", "wheel", "-qq", "--no-deps", "--wheel-dir", folder, *arguments, ROOT]
    if run(command):
        raise Stop("The wheel could not be built; the message is above.")
    return Path(glob.glob(str(folder / "*.whl"))[0])


def check_wheel(path):
    """Stop unless a wheel holds the package, its type marker and data, and nothing else."""
    with zipfile.ZipFile(str(path)) as archive:
        names = archive.namelist()
    foreign = [name for name in names if not name.startswith(("gtm_opt/", "gtm_opt-"))]
    kinds = (".py", ".csv", ".j2", "py.typed")
    foreign += [name for name in names if name.startswith("gtm_opt/") and not name.endswith(kinds)]
    data = [path.relative_to(ROOT).as_posix() for kind in ("*.csv", "*.j2") for path in (ROOT / "gtm_opt").rglob(kind)]
    missing = [name for name in ["gtm_opt/py.typed", "gtm_opt/__init__.py", *data] if name not in names]
    if foreign or missing:
        raise Stop(f"Wheel {path.name}: does not belong there: {foreign or 'none'}; missing: {missing or 'none'}")
    say(f"{path.name}: {len(names)} files, all of gtm_opt")


def floors(arguments):
    """Run the fast tests with the oldest version of everything that pyproject.toml allows."""
    if sys.version_info[:2] != OLDEST:
        oldest = shutil.which("python{}.{}".format(*OLDEST))
        if not oldest or version_of(oldest) != OLDEST:
            return nothing_there("the oldest releases need Python {}.{}, which is not here".format(*OLDEST))
        return subprocess.call([oldest, str(ROOT / "dev.py"), "floors", *arguments])
    uv = [ready("floors"), "-m", "uv", "pip"]
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        make_venv(venv)
        python = python_in(venv)
        install = [*uv, "install", "--quiet", "--python", python, "--resolution", "lowest-direct", "--compile-bytecode"]
        if run([*install, "--editable", ROOT, *requirements_of("test")], venv=venv):
            raise Stop("The oldest allowed releases do not install together; the message is above.")
        run([*uv, "list", "--python", python], venv=venv)
        return run([python, "-m", "pytest", "-m", "not slow", *workers(), *arguments], venv=venv)


def everything(arguments):
    """Run all checks, one after the other, and list how each ended."""
    order = (lint, types, test, determinism, docs, notebooks, benchmarks, slow, peers, wheel, floors)
    ended = [(step.__name__, step(list(arguments))) for step in order]
    for name, code in ended:
        say(f"{name:12} {'passed' if code == 0 else f'FAILED ({code})'}")
    return max(code for _, code in ended)


def nothing_there(what):
    """Say that a step has nothing to do; that is no failure."""
    say(f"Nothing to do: {what}.")
    return 0


COMMANDS = {
    "demo": demo,
    "test": test,
    "slow": slow,
    "determinism": determinism,
    "lint": lint,
    "types": types,
    "docs": docs,
    "notebooks": notebooks,
    "benchmarks": benchmarks,
    "peers": peers,
    "wheel": wheel,
    "floors": floors,
    "all": everything,
}


def main():
    """Run the command that was asked for."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help", "help"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    name = sys.argv[1]
    if name not in COMMANDS:
        raise Stop("Unknown command '{}'. Known: {}.".format(name, ", ".join(COMMANDS)))
    use_new_enough_python()
    return COMMANDS[name](sys.argv[2:])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as stop:
        sys.exit(f"\n{stop}\n")
    except KeyboardInterrupt:
        sys.exit(130)
