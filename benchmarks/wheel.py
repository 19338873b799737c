"""akb as a tool of its own: the wheel in a fresh environment, whose run of the sample is the checkout's.

    python -m benchmarks.wheel

Builds the wheel (uv where it is, else pip), installs it with its dependencies as `requirements.lock` pins them, runs
`akb eda` on sample_data/ there and here, and compares every file but the manifest, byte for byte. Exit code 1 where one
differs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ("polissen.csv", "schades.csv", "contacten.csv")


def done(command: list[str], cwd: Path, **more: str) -> str:
    """Run a command and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more
    made = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ended with {made.returncode}\n{made.stderr[-2000:]}")
    return made.stdout


def built(folder: Path) -> Path:
    """Build the wheel and return it."""
    uv = shutil.which("uv")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    command = [uv, "build", "--wheel", "--quiet", "--out-dir"] if uv else pip
    done([*command, str(folder), str(ROOT)], folder)
    return next(folder.glob("akb-*.whl"))


def installed(wheel: Path, folder: Path) -> Path:
    """Install it in a fresh environment and return its akb."""
    place, lock = folder / "venv", str(ROOT / "requirements.lock")
    uv = shutil.which("uv")
    if uv:
        done([uv, "venv", "--quiet", "--python", sys.executable, str(place)], folder)
        install = [uv, "pip", "install", "--quiet", "--python", str(place / "bin" / "python")]
    else:
        done([sys.executable, "-m", "venv", str(place)], folder)
        install = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    done([*install, "--constraint", _pins(lock, folder), str(wheel)], folder)
    return place / "bin" / "akb"


def _pins(lock: str, folder: Path) -> str:
    """Return a file with the versions of the lock alone: a constraint has no hashes."""
    lines = [line.rstrip(" \\") for line in Path(lock).read_text("utf-8").splitlines() if line[:1].isalnum()]
    (folder / "pins.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return str(folder / "pins.txt")


def differing(one: Path, other: Path) -> list[str]:
    """Return the files that are not the same in two runs, but for the manifest."""
    names = {path.relative_to(each).as_posix() for each in (one, other) for path in each.rglob("*") if path.is_file()}
    names.discard("manifest.json")
    return [
        name
        for name in sorted(names)
        if not all((each / name).is_file() for each in (one, other))
        or (one / name).read_bytes() != (other / name).read_bytes()
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="akb-wheel-") as held:
        folder = Path(held)
        began = time.monotonic()
        akb = installed(built(folder), folder)
        ready = time.monotonic()
        command = [
            "eda",
            *(str(ROOT / "sample_data" / name) for name in FILES),
            "--quiet",
            "--key",
            str(folder / "key"),
        ]
        done([str(akb), *command, "--out", str(folder / "wheel")], folder)
        checkout = [sys.executable, "-m", "akb", *command, "--out", str(folder / "checkout")]
        done(checkout, folder, PYTHONPATH=str(ROOT))
        found = differing(folder / "wheel", folder / "checkout")
        files = sum(1 for path in (folder / "wheel").rglob("*") if path.is_file())
        print(f"wheel built and installed in {ready - began:.0f} s; {files} files of its run, {len(found)} differ")
        if found:
            raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
