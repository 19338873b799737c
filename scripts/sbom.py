"""What akb is made of: ``python -m scripts.sbom`` writes ``docs/licences.md`` and ``out/sbom.cdx.json`` (CycloneDX).

Taken from what is installed, which is what ``requirements.lock`` names. Packages for development alone are left out.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LICENCES = ROOT / "docs" / "licences.md"
SBOM = ROOT / "out" / "sbom.cdx.json"
OWN = "akb"
_NAMES = (
    (r"apache.*(2|license)|^apache", "Apache-2.0"),
    (r"mozilla|mpl", "MPL-2.0"),
    (r"bsd.?2|simplified bsd", "BSD-2-Clause"),
    (r"bsd", "BSD-3-Clause"),
    (r"python software|psf", "PSF-2.0"),
    (r"\bmit\b|mit license", "MIT"),
    (r"isc", "ISC"),
)
FREE = {
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "PSF-2.0",
    "MPL-2.0",
    "ISC",
    "0BSD",
    "Zlib",
    "CC0-1.0",
    "Python-2.0",
    "MIT-CMU",
}
"""Licences that ask no more than that their text goes along."""
BUNDLED = (
    ("Plotly.js (basic, in the reports)", "MIT", "akb/report/assets/PLOTLY-LICENSE.txt"),
    ("Inter, Newsreader (fonts in the reports)", "OFL-1.1", "akb/report/assets/FONTS-LICENSE.txt"),
)


@dataclass(frozen=True)
class Component:
    """A package that akb needs when it runs.

    Parameters
    ----------
    licence
        SPDX expression where the package says one that is known, else its own words.
    needs
        Names of the packages that it needs itself.
    """

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]


def components(root: str = OWN) -> list[Component]:
    """Return every package that akb reaches, by name."""
    ahead, found = [root], dict[str, Component]()
    while ahead:
        name = ahead.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # for another system or Python
        needs = tuple(sorted(needed(package)))
        found[name] = Component(name, package.version, licence(package), needs)
        ahead += [each for each in needs if each not in found]
    return [found[name] for name in sorted(found) if name != root]


def needed(package: Distribution) -> set[str]:
    environment: dict[str, str] = {**default_environment(), "extra": ""}  # type: ignore[dict-item]
    wanted = [Requirement(text) for text in package.requires or ()]
    return {
        plain(each.name)
        for each in wanted
        if each.marker is None or each.marker.evaluate(environment)
    }


def plain(name: str) -> str:
    """Return a package's name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: Distribution) -> str:
    """Return the licence of a package as SPDX where it can be told."""
    said = package.metadata.get("License-Expression")
    if said:
        return said
    classifiers = [
        each.rpartition("::")[2].strip()
        for each in package.metadata.get_all("Classifier", [])
        if each.startswith("License ::")
    ]
    words = classifiers or [
        (package.metadata.get("License") or text_of(package)).strip().splitlines()[0]
    ]
    return " OR ".join(dict.fromkeys(spdx(each) for each in words))


def text_of(package: Distribution) -> str:
    """Return the first line of the licence that comes with a package which names none."""
    files = [
        each for each in package.files or () if re.match(r"licen[sc]e", each.name, re.IGNORECASE)
    ]
    return next((each.read_text() for each in files), "unknown")


def spdx(words: str) -> str:
    return next((name for pattern, name in _NAMES if re.search(pattern, words.lower())), words)


def parts(expression: str) -> set[str]:
    """Return the licences that an expression names; what is granted ``WITH`` an exception is the licence itself."""
    names = re.split(r"\s+(?:AND|OR)\s+", re.sub(r"[()]", " ", expression).strip())
    return {name.partition(" WITH ")[0].strip() for name in names}


def document() -> str:
    """Return ``docs/licences.md``."""
    rows = [f"| {each.name} | {each.version} | {each.licence} |" for each in components()]
    own = [f"| {name} | {licence} | `{path}` |" for name, licence, path in BUNDLED]
    return "\n".join(
        [
            "# Licences",
            "",
            "Written by `python -m scripts.sbom`; a test keeps it up to date and refuses a licence that asks more than its text.",
            "akb itself: MIT. What it needs when it runs, as locked:",
            "",
            "| package | version | licence |",
            "|---|---|---|",
            *rows,
            "",
            "What is inside the wheel:",
            "",
            "| what | licence | text |",
            "|---|---|---|",
            *own,
            "",
        ]
    )


def sbom() -> dict[str, Any]:
    """Return a CycloneDX document; the same packages give the same one."""
    every = components()
    known = {each.name for each in every}
    listed = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{each.name}@{each.version}",
            "name": each.name,
            "version": each.version,
            "purl": f"pkg:pypi/{each.name}@{each.version}",
            "licenses": [{"expression": each.licence}]
            if parts(each.licence) <= FREE
            else [{"license": {"name": each.licence}}],
        }
        for each in every
    ]
    versions = {each.name: each.version for each in every}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(listed))}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": OWN, "version": distribution(OWN).version}
        },
        "components": listed,
        "dependencies": [
            {
                "ref": f"pkg:pypi/{each.name}@{each.version}",
                "dependsOn": [
                    f"pkg:pypi/{name}@{versions[name]}" for name in each.needs if name in known
                ],
            }
            for each in every
        ],
    }


def main() -> None:
    LICENCES.write_text(document(), "utf-8")
    SBOM.parent.mkdir(exist_ok=True)
    SBOM.write_text(json.dumps(sbom(), indent=1) + "\n", "utf-8")
    print(f"{SBOM}: {len(sbom()['components'])} packages")


if __name__ == "__main__":
    main()
