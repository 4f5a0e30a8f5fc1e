"""The documentation's programs run.

Owns: the README's example and the examples' folder.
Keeps: what a newcomer copies works as it stands.
Above: nobody. Below: README.md, examples.
"""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


async def test_the_readmes_example_runs_its_job(
    empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, object] = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)
    await names["main"](empty_url)  # type: ignore[operator]
    assert "resizing a.png to 640" in capsys.readouterr().out


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_runs(path: Path, empty_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(path), empty_url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
