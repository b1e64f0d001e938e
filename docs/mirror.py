"""Prints the measures of the code, to be looked at and not to be obeyed, and draws docs/pictures/imports.svg."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
from drawing import picture
from vulture.core import Vulture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "imports.svg"
PRODUCT = ("bot", "adapters", "brains", "storage")
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
TEN, RUN = 10, 8
EXCUSE = re.compile(r"type: ignore\[[\w, -]+\]|noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*")
MOCK = re.compile(r"\b(?:mock|MagicMock)\b|monkeypatch\.setattr\(|\bpatch\(")
Sized = tuple[int, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file: where it is, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    def place(self, line: int) -> str:
        """Say where a line is, as editors read it."""
        return f"{self.path}:{line}"


@cache
def sources(*folders: str) -> Sequence[Source]:
    """Read the Python files that git knows in these folders."""
    told = subprocess.run(
        ["git", "ls-files", *(f"{one}/**.py" for one in folders)],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    texts = {Path(line): (ROOT / line).read_text() for line in told.stdout.splitlines()}
    return [Source(path=path, text=text, tree=ast.parse(text)) for path, text in texts.items() if text]


def table(title: str, rows: Iterable[Sequence[object]]) -> None:
    """Print rows below a title, numbers to the right."""
    cells = [[f"{one:,}" if isinstance(one, int) else str(one) for one in row] for row in rows] or [["none"]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    aligned = [[_aligned(*one) for one in zip(row, widths, strict=True)] for row in cells]
    sys.stdout.write("\n".join(["", title, *(f"  {'  '.join(row)}".rstrip() for row in aligned)]) + "\n")


def _aligned(cell: str, width: int) -> str:
    return cell.rjust(width) if re.fullmatch(r"[\d.,]+%?(?: s)?", cell) else cell.ljust(width)


# Sizes


def sizes(kind: str, files: Sequence[Source]) -> None:
    """Print how long files and functions are: from `def` to the last line, without the docstring."""
    lines = sorted((len(one.text.splitlines()), str(one.path)) for one in files)
    functions = sorted(_functions(files))
    table(f"Sizes, {kind}", [("", "count", "lines", "median", "p90", "longer"), *_spread(lines, functions)])
    table(f"Longest files, {kind}", lines[: -TEN - 1 : -1])
    table(f"Longest functions, {kind}", functions[: -TEN - 1 : -1])


def _functions(files: Sequence[Source]) -> Iterator[tuple[int, str]]:
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, Function):
                yield _length(node), f"{file.place(node.lineno)} {node.name}"


def _length(node: Function) -> int:
    first, last = node.body[0], node.end_lineno or node.lineno
    described = ast.get_docstring(node) is not None
    return last - node.lineno + 1 - (((first.end_lineno or 0) - first.lineno + 1) if described else 0)


def _spread(files: Sequence[Sized], functions: Sequence[Sized]) -> Iterator[Sequence[object]]:
    for kind, counted, limits in ("files", files, (250,)), ("functions", functions, (30, 50)):
        long = [one for one, _ in counted]
        over = ", ".join(f"{sum(one > limit for one in long) / len(long):.1%} over {limit}" for limit in limits)
        yield kind, len(long), sum(long), long[len(long) // 2], long[len(long) * 9 // 10], over


# Imports


def imports() -> None:
    """Print what our modules import of each other, and which do so in a circle."""
    whole = grimp.build_graph(*PRODUCT, cache_dir=None)
    running = grimp.build_graph(*PRODUCT, exclude_type_checking_imports=True, cache_dir=None)
    table(
        "Imports of our modules",
        [
            ("", "modules", "imports"),
            ("when it runs", len(running.modules), running.count_imports()),
            ("with those of TYPE_CHECKING", len(whole.modules), whole.count_imports()),
        ],
    )
    real = set(_cycles(running))
    kinds = [("when it runs" if one in real else "types only", " ".join(one)) for one in _cycles(whole)]
    table("Cycles", kinds)
    used = Counter({one: len(running.find_modules_that_directly_import(one)) for one in running.modules})
    uses = Counter({one: len(running.find_modules_directly_imported_by(one)) for one in running.modules})
    for title, counted in {"Most imported": used, "Import most": uses}.items():
        table(
            title, sorted(((count, name) for name, count in counted.items()), key=lambda one: (-one[0], one[1]))[:TEN]
        )
    contracts = [one["layers"] for one in CONFIG["importlinter"]["contracts"] if one["type"] == "layers"]
    lengths = {".".join(one.path.with_suffix("").parts): len(one.text.splitlines()) for one in sources(*PRODUCT)}
    PICTURE.write_text(picture(running, contracts, lengths))


def _cycles(graph: grimp.ImportGraph) -> Iterator[tuple[str, ...]]:
    """Yield each set of modules that all reach one another."""
    seen: set[str] = set()
    for module in sorted(graph.modules):
        circle = graph.find_upstream_modules(module) & graph.find_downstream_modules(module)
        if module not in seen and circle:
            seen |= {module, *circle}
            yield tuple(sorted({module, *circle}))


# Repetition


def repetition(kind: str, files: Sequence[Source]) -> None:
    """Print runs of equal statements in two places, and functions that are equal but for their names."""
    runs = [(" ".join(places),) for places in _runs(files)]
    table(f"Runs of {RUN} equal statements or more, {kind}: where they begin", runs)
    alike = defaultdict(list)
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, Function) and _length(node) >= RUN:
                alike[_shape(node)].append(f"{file.place(node.lineno)} {node.name}")
    same = [(", ".join(places),) for places in alike.values() if len(places) > 1]
    table(f"Functions of {RUN} lines or more that differ in names alone, {kind}", same)


def _runs(files: Sequence[Source]) -> Iterator[Sequence[str]]:
    """Yield the places of each run that is found twice; what goes on from one place to the next is one run."""
    seen, before = defaultdict(list), {}
    for file in files:
        lines, last = list(_statements(file.tree)), None
        for start in range(len(lines) - RUN + 1):
            run = tuple(text for _, text in lines[start : start + RUN])
            seen[run].append(file.place(lines[start][0]))
            before.setdefault(run, last)
            last = run
    for run, places in seen.items():
        if len(places) > 1 and len(seen.get(before[run], ())) < len(places):
            yield places


def _statements(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every statement but imports, a compound one by its head, without blanks, comments and docstrings."""
    for node in sorted(_inner(tree), key=lambda one: one.lineno):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            yield node.lineno, ast.unparse(node).splitlines()[0]


def _inner(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield node


def _shape(node: Function) -> str:
    """Return what a function does, with all that somebody named or wrote as a constant left out."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    told = "".join(ast.dump(one) for one in body)
    return re.sub(r"'(?:[^'\\]|\\.)*'|value=[^,)(]+", "_", told)


# What nothing uses, and what is excused


def unused() -> None:
    """Print what nothing uses, and what tests alone use."""
    nowhere = _unused(*PRODUCT, "docs", "tests")
    table("Used nowhere", sorted(nowhere))
    table("Used by tests alone", sorted(_unused(*PRODUCT, "docs") - nowhere))


def _unused(*folders: str) -> set[tuple[str, str]]:
    """Return what vulture finds; an attribute that is set on another's object is for that one to read."""
    given = CONFIG["vulture"]
    reader = Vulture(ignore_names=given["ignore_names"], ignore_decorators=given["ignore_decorators"])
    reader.scavenge([str(ROOT / one) for one in folders])
    found = [(Path(one.filename), one) for one in reader.get_unused_code(min_confidence=given["min_confidence"])]
    return {
        (f"{path.relative_to(ROOT)}:{one.first_lineno}", f"{one.typ} {one.name}")
        for path, one in found
        if one.typ != "attribute" or f"self.{one.name}" in path.read_text().splitlines()[one.first_lineno - 1]
    }


def excuses(kind: str, files: Sequence[Source]) -> None:
    """Print what the linters and the type checker are told to overlook."""
    found = defaultdict[str, dict[Path, list[int]]](lambda: defaultdict(list))
    for file in files:
        for name, line in _excused(file):
            found[name][file.path].append(line)
    for name, places in sorted(found.items()):
        rows = [(len(lines), f"{path}:{','.join(map(str, lines))}") for path, lines in places.items()]
        table(f"{name}, {kind}: {sum(count for count, _ in rows)}", rows)


def _excused(file: Source) -> Iterator[tuple[str, int]]:
    """Yield each by its kind: a comment's codes, or a name that is no import."""
    with (ROOT / file.path).open("rb") as read:
        for one in tokenize.tokenize(read.readline):
            if one.type == tokenize.COMMENT and (told := EXCUSE.search(one.string)):
                yield told[0], one.start[0]
            if one.type == tokenize.NAME and one.string in {"Any", "cast"} and "import " not in one.line:
                yield one.string, one.start[0]


def dependencies() -> None:
    """Print whether the packages that are named are those that are used."""
    told = subprocess.run([sys.executable, "-m", "deptry", "."], cwd=ROOT, capture_output=True, text=True, check=False)
    table("Dependencies, by deptry", [(line,) for line in re.sub(r"\x1b\[\d*m", "", told.stderr).split("\n") if line])


# Tests


def tests(files: Sequence[Source], durations: Path | None) -> None:
    """Print how many tests there are, which of them assert nothing or reach inside, and which are slow."""
    every = [(file, node) for file in files for node in ast.walk(file.tree) if isinstance(node, Function)]
    named = [(file, node) for file, node in every if node.name.startswith("test_")]
    counted = Counter(str(file.path.parent) for file, _ in named)
    table("Tests, before they are multiplied by their parameters", [(n, name) for name, n in counted.most_common()])
    asserting = {"raises", "warns", "fail"}
    while found := {node.name for _, node in every if _uses(node) & asserting} - asserting:
        asserting |= found
    silent = [(file.place(node.lineno), node.name) for file, node in named if not _uses(node) & asserting]
    table("Tests without an assertion", silent)
    every_line = [(file.place(at), line) for file in files for at, line in enumerate(file.text.splitlines(), 1)]
    table("Mocks, and attributes replaced", [(place, line.strip()) for place, line in every_line if MOCK.search(line)])
    if durations:
        _slowest(durations.read_text())


def _uses(node: Function) -> set[str]:
    """Return the names that a function uses, itself an assertion's if it has one."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    names |= {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    return names | ({"fail"} if any(isinstance(one, ast.Assert) for one in ast.walk(node)) else set())


def _slowest(told: str) -> None:
    """Print what `pytest --durations=0` measured."""
    seconds = Counter[str]()
    for time, name in re.findall(r"^([\d.]+)s (?:call|setup|teardown) +(\S.*)$", told, re.MULTILINE):
        seconds[name] += float(time)
    for passed, whole in re.findall(r"(\d+) passed.*? in ([\d.]+)s", told):
        table("Speed", [("tests", "seconds", "a second"), (int(passed), whole, f"{int(passed) / float(whole):.1f}")])
    table("Slowest tests, with what they set up", [(f"{time:.1f} s", name) for name, time in seconds.most_common(TEN)])


def main() -> None:
    """Print every measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--durations", type=Path, help="what `pytest --durations=0` printed")
    given = asked.parse_args()
    product, tested = sources(*PRODUCT), sources("tests")
    for kind, files in {"product": product, "tests": tested}.items():
        sizes(kind, files)
        repetition(kind, files)
        excuses(kind, files)
    imports()
    unused()
    dependencies()
    tests(tested, given.durations)


if __name__ == "__main__":
    main()
