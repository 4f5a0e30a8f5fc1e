"""The rules of the house, as tests: a rule that is not one is a wish.

Owns: sizes, headers, banned words, dead files.
Keeps: no exemption list.
Above: nobody. Below: the repository's files.
"""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES_MAX = 400
FUNCTION_LINES_MAX = 50
SQL_LINES_MAX = 130

CODE = [
    path
    for folder in ("awa", "bench", "chaos", "spec", "tests", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ".env" not in path.parts and ".venv" not in path.parts
]
LIBRARY = [path for path in CODE if path.is_relative_to(ROOT / "awa")]
SQL = sorted((ROOT / "awa").rglob("*.sql"))
VERBS = [path for path in SQL if "migrations" not in path.parts]

BANNED = re.compile(
    r"\b(legacy|compat|used to be|no longer|previously|was changed|v2|hack|TODO|FIXME)\b"
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=name)
def test_a_file_is_short(path: Path) -> None:
    count = len(path.read_text().splitlines())
    assert count <= LINES_MAX, f"{count} lines"


@pytest.mark.parametrize("path", SQL, ids=name)
def test_a_verb_is_short(path: Path) -> None:
    limit = LINES_MAX if "migrations" in path.parts else SQL_LINES_MAX
    assert len(path.read_text().splitlines()) <= limit


@pytest.mark.parametrize("path", CODE, ids=name)
def test_a_function_is_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            count = node.end_lineno - node.lineno + 1
            assert count <= FUNCTION_LINES_MAX, f"{node.name}: {count} lines"


@pytest.mark.parametrize("path", LIBRARY, ids=name)
def test_imports_stand_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text())
    # A platform that lacks a module is asked about at the top as well.
    top = {*tree.body, *(n for one in tree.body if isinstance(one, ast.If) for n in one.body)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert node in top, f"line {node.lineno}: a late import"


@pytest.mark.parametrize("path", LIBRARY, ids=name)
def test_a_module_says_what_it_owns_and_keeps_and_where_it_stands(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert re.search(r"\nOwns: .*\nKeeps: .*\nAbove: ", text, re.DOTALL), "no four-part docstring"
    assert re.search(r"Below: ", text)


@pytest.mark.parametrize("path", LIBRARY, ids=name)
def test_below_names_what_is_imported(path: Path) -> None:
    tree = ast.parse(path.read_text())
    below = (ast.get_docstring(tree) or "").rpartition("Below: ")[2]
    if "everything" in below or "its modules" in below:
        return
    here = path.parent.relative_to(ROOT).parts
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("awa"):
            continue
        parts = (node.module or "").split(".")
        own = tuple(parts[: len(here)]) == here and len(parts) > len(here)
        said = parts[len(here)] if own else parts[1] if len(parts) > 1 else "config"
        assert re.search(rf"\b{said}\b", below), f"{node.module} is not named below: {below!r}"


@pytest.mark.parametrize("path", VERBS, ids=name)
def test_a_verb_has_its_header(path: Path) -> None:
    lines = path.read_text().splitlines()
    title = path.stem.replace("_", " ")
    assert lines[0].lower().startswith(f"-- {title}: "), lines[0]
    text = "\n".join(lines)
    at = [text.find(f"\n-- {word} ") for word in ("spec  ", "in    ", "out   ", "locks ", "plan  ")]
    assert -1 not in at, "a line of the header is missing"
    assert at == sorted(at), "the header is out of order"


@pytest.mark.parametrize("path", VERBS, ids=name)
def test_a_verb_is_used(path: Path) -> None:
    word = path.stem
    others = [
        other.read_text()
        for other in [*LIBRARY, *SQL, *(ROOT / "bench").glob("*.py")]
        if other != path
    ]
    assert any(re.search(rf"\b{word}\b", text) for text in others), "nobody calls it"


@pytest.mark.parametrize("path", [*CODE, *SQL], ids=name)
def test_nothing_speaks_of_what_was(path: Path) -> None:
    if path == Path(__file__):
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert not BANNED.search(line), f"line {number}: {line.strip()}"


def test_the_glossary_is_kept() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text()
    banned: set[str] = set()
    for row in re.findall(r"^\| \*\*.*\|$", table, re.MULTILINE):
        words = row.strip("| ").split(" | ")
        if len(words) == 3:
            banned.update(word.strip() for word in words[2].split(",") if word.strip())
    for path in LIBRARY:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [getattr(node, field, None) for field in ("name", "id", "arg", "attr")]
            for one in names:
                assert not (isinstance(one, str) and one in banned), f"{path}: {one}"


def test_no_file_names_a_registry_or_the_shared_folder() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    banned = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "../" + "shared"]
    for path in listed:
        try:
            text = (ROOT / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        for word in banned:
            assert word not in text, f"{path} names {word}"
