"""``make docs``: the documentation as a site in ``out/docs/site/``, offline; a link that leads nowhere is an error.

The pages are those of the repository, staged as they lie there, so that links between them hold in both places. The README is
the first page. Needs the extra ``docs`` (Sphinx and MyST).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts import cli_docs

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out" / "docs"
CHAPTERS = {
    "With an export": ("exports", "settings", "reconcile", "key", "cli"),
    "What comes of it": ("actions", "portal", "features", "dictionary", "income", "actuarial"),
    "Every week": ("live", "evaluate", "experiments", "export_crm", "serve", "batch"),
    "At home elsewhere": ("python", "own_model", "ecosystem", "cluster", "scale"),
    "About akb": ("architecture", "licences"),
}
BESIDE = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "BENCHMARKS.md", "benchmarks/README.md")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
_LOADS = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=\"(?:https?:)?//|<link[^>]*\shref=\"(?:https?:)?//(?![^>]*canonical)"
)


def pages() -> list[Path]:
    """Return every page of the site, as it lies in the repository."""
    named = [ROOT / name for name in BESIDE]
    return [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *(each for each in named if each.exists()),
    ]


def links(page: Path) -> list[tuple[str, str]]:
    """Return target and anchor of every link of a page that leads to a file."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = [(match[1], match[2] or "") for match in _LINK.finditer(text)]
    return [(target, anchor) for target, anchor in found if not re.match(r"[a-z]+:", target)]


def stage(source: Path) -> None:
    """Copy the pages and what they link to, and make the table of contents."""
    shutil.rmtree(source, ignore_errors=True)
    known = pages()
    for page in known:
        place = source / page.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = page.read_text("utf-8")
        place.write_text(re.sub(r"\]\((?:\.\./)?README\.md([#)])", _first(page), text), "utf-8")
        for target, _ in links(page):
            linked = (page.parent / target).resolve()
            if linked.is_file() and linked not in known:
                beside = source / linked.relative_to(ROOT)
                beside.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(linked, beside)
    (source / "README.md").rename(source / "index.md")
    with (source / "index.md").open("a", encoding="utf-8") as file:
        file.write(contents())
    shutil.copyfile(ROOT / "docs" / "conf.py", source / "conf.py")


def _first(page: Path) -> str:
    return "](../index.md\\1" if page.parent != ROOT else "](index.md\\1"


def contents() -> str:
    """Return the table of contents; every page is in it."""
    chapters = {name: [f"docs/{page}" for page in them] for name, them in CHAPTERS.items()}
    chapters["About akb"] += [name.removesuffix(".md") for name in BESIDE if (ROOT / name).exists()]
    parts = []
    for caption, them in chapters.items():
        lines = "\n".join(them)
        parts.append(f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n")
    return "".join(parts)


def strangers(site: Path) -> list[str]:
    """Return the pages that would load something from elsewhere."""
    return [
        str(page.relative_to(site))
        for page in site.rglob("*.html")
        if _LOADS.search(page.read_text("utf-8"))
    ]


def main() -> None:
    if cli_docs.PATH.read_text("utf-8") != cli_docs.document():
        raise SystemExit("docs/cli.md is not what --help says: python -m scripts.cli_docs")
    source, site = OUT / "source", OUT / "site"
    stage(source)
    shutil.rmtree(site, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-b",
        "html",
        "-W",
        "--keep-going",
        "-q",
        str(source),
        str(site),
    ]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit("the site was not built: see above")
    if found := strangers(site):
        raise SystemExit(f"loads something from elsewhere: {', '.join(found)}")
    print(f"{len(list(site.rglob('*.html')))} pages: {site / 'index.html'}")


if __name__ == "__main__":
    main()
