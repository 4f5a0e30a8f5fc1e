"""The documentation's programs run, and what it names is there.

Owns: the README's example, the walk-through, the examples' folder, the files and the public names
    that are named.
Keeps: what a newcomer copies works as it stands, and again.
Above: nobody. Below: README.md, docs, examples, tests.story.stage.
"""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

import awa
from tests.story import stage
from tests.story.stage import Said

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "traces/README.md", "spec/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
WALK = "docs/walkthrough.md"
NAMED = re.compile(r"`([\w./-]+(?:\.(?:py|sql|md|tla|cfg|toml)|/))`")


async def test_the_readmes_example_runs_its_job(
    empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = _blocks("README.md", "python")
    names: dict[str, object] = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)
    await names["main"](empty_url)  # type: ignore[operator]
    assert "resizing a.png to 640" in capsys.readouterr().out


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_runs(path: Path, empty_url: str) -> None:
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(path), empty_url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()


def _blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.tlc
async def test_the_walkthroughs_bug_is_found_as_it_says(
    empty_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """But for the numbers of lines, which move with the models."""
    (code,), (commands,) = _blocks(WALK, "python"), _blocks(WALK, "sh")
    (report,) = _blocks(WALK, "text")
    monkeypatch.chdir(tmp_path)
    said = Said(0, "", "")
    for command in commands.splitlines():
        assert said.code == 0, said
        name, *arguments = command.split()
        if name == "python":
            names: dict[str, object] = {"__name__": "walkthrough"}
            exec(compile(code, WALK, "exec"), names)
            await names["main"](empty_url)  # type: ignore[operator]
        else:
            said = await stage.awa(*arguments, url=empty_url)
    assert "refused: nothing\n" in capsys.readouterr().out
    assert said.code == 1
    assert _without_lines(said.out) == _without_lines(report)


def _without_lines(text: str) -> str:
    return re.sub(r", line \d+\)", ")", text)


def _listed() -> set[str]:
    """Return the repository's files and folders, each as `/path` and a folder with a last `/`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [Path(line) for line in listed.splitlines() if (ROOT / line).exists()]
    folders = {f"/{folder}/" for path in paths for folder in path.parents}
    return {f"/{path}" for path in paths} | folders


def test_every_file_that_a_page_names_is_there() -> None:
    """By its whole path, or by the end of it."""
    listed = _listed()
    named = {(page, name) for page in PAGES for name in NAMED.findall(page.read_text())}
    assert len(named) > 20, "the pattern finds nothing any more"
    missing = {
        f"{page.relative_to(ROOT)}: {name}"
        for page, name in named
        if not any(path.endswith(f"/{name}") for path in listed)
    }
    assert not missing


def test_the_reference_has_every_public_name() -> None:
    text = (ROOT / "docs" / "reference.md").read_text()
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    faces = (awa.AsyncClient, awa.Client, awa.Transaction, awa.SyncTransaction, awa.Job)
    members = {name for face in faces for name in vars(face) if not name.startswith("_")}
    members -= {"stored", "running", "begin"}  # how the library makes a job and a transaction
    assert members | set(awa.__all__) <= words, (members | set(awa.__all__)) - words
