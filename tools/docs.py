#!/usr/bin/env python3
"""Keeps the documentation true to the code.

docs.py BINARY: writes the table of options in docs/configuration.md from what `BINARY run --help` says, and docs/reference.md
from what `BINARY rules reference` says.
docs.py BINARY --check: writes nothing; exits with 1 where one of them differs, where docs/invariants.md names a test that
does not exist, or where a page links to a file that does not.
"""

import glob
import os
import re
import subprocess
import sys

PAGE = "docs/configuration.md"
REFERENCE = "docs/reference.md"
BEGIN, END = "<!-- begin: written by make docs -->\n", "<!-- end -->\n"


def options(text):
    """(spelling, help, facts) of each option; facts stand in brackets on a line of their own."""
    body = text[text.index("\nOPTIONS"):].split("\n")[2:]
    found = []
    for line in body:
        if line.startswith("  -"):
            found.append([line.strip().removesuffix(" VALUE"), "", ""])
        elif line.startswith("      [") and found:
            found[-1][2] = line.strip()[1:-1]
        elif line.startswith("      ") and found:
            found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
    return found


def row(spelling, help_text, facts):
    default, environment, repeats = "", [], ""
    for fact in filter(None, facts.split("; ")):
        if fact.startswith("default "):
            default = f"`{fact.removeprefix('default ')}`"
        elif fact == "repeatable":
            repeats = " (repeats)"
        else:
            environment += [f"`{name}`" for name in fact.split(", ")]
    cells = [f"`{spelling}`{repeats}", ", ".join(environment), default, help_text]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def table(binary):
    """docs/configuration.md as it is and as it should be."""
    text = subprocess.run([binary, "run", "--help"], capture_output=True, text=True, check=True).stdout
    rows = "| Option | Environment | Default | |\n|---|---|---|---|\n" + "".join(row(*o) for o in options(text))
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return page, page[:start] + rows + page[end:]


def reference(binary):
    """docs/reference.md as it is and as it should be."""
    command = [binary, "rules", "reference", "--markdown"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    page = ""
    if os.path.exists(REFERENCE):
        with open(REFERENCE, encoding="utf-8") as file:
            page = file.read()
    return page, text


def missing_tests():
    """Tests that docs/invariants.md names in italics and no file in Tests has."""
    names = set()
    for path in glob.glob("Tests/**/*.swift", recursive=True):
        with open(path, encoding="utf-8") as file:
            names.update(re.findall(r"func `([^`]+)`", file.read()))
    with open("docs/invariants.md", encoding="utf-8") as file:
        named = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", file.read())
    return [name for name in (" ".join(name.split()) for name in named) if name not in names]


def broken_links():
    """Relative links of the pages that lead nowhere."""
    broken = []
    for page in ["README.md", "CHANGELOG.md"] + glob.glob("docs/**/*.md", recursive=True):
        with open(page, encoding="utf-8") as file:
            links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read())
        broken += [f"{page}: {link}" for link in links if not os.path.exists(os.path.join(os.path.dirname(page), link))]
    return broken


def main():
    binary = os.path.abspath(sys.argv[1])
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    pages = {PAGE: table(binary), REFERENCE: reference(binary)}
    if "--check" not in sys.argv:
        for name, (_, written) in pages.items():
            with open(name, "w", encoding="utf-8") as file:
                file.write(written)
        return 0
    problems = [f"docs/invariants.md names no test of ours: {name}" for name in missing_tests()]
    problems += [f"broken link in {link}" for link in broken_links()]
    for name, (page, written) in pages.items():
        if written != page:
            problems.append(f"{name} is not what the program says; try: make docs")
    for problem in problems:
        print(f"error: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
