"""How TLC is found, and what `spec/tlc.py` does with it.

Owns: the tests of the tools and of the command line.
Keeps: a command that could not be done exits with 2, and one that was refused with 1.
Above: nobody. Below: awa.lab, lives.
"""

import importlib.util
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from awa.lab import tlc
from awa.lab.life import write_lives
from awa.lab.suite import read_suite
from tests.spec import lives
from tests.spec.lives import COMPLETE, ENQUEUE, SHORT, WHOLE, with_steps

ROOT = Path(__file__).parents[2]

LAMP_SUITE = """\
[[check]]
module = "Lamp"
cfg = "MCLamp.cfg"
expect = "pass"
shows = "A lamp."

[[check]]
module = "Lamp"
cfg = "MCLampToo.cfg"
expect = "pass"
shows = "The same."
"""


@pytest.fixture
def command() -> ModuleType:
    """The command line, which is a file and no module."""
    found = importlib.util.spec_from_file_location("spec_tlc", ROOT / "spec" / "tlc.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["spec_tlc"] = module
    found.loader.exec_module(module)
    return module


@pytest.fixture
def lamp(tmp_path: Path, command: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with a lamp that can only be so bright, for the commands."""
    lives.make_lamp(tmp_path)
    (tmp_path / "suite.toml").write_text(LAMP_SUITE)
    shutil.copy(ROOT / "spec" / "jar.lock", tmp_path)
    text = lives.LAMP.replace("l' = l + n", "l + n <= Most /\\ l' = l + n")
    (tmp_path / "Lamp.tla").write_text(text.replace("{l, l + 1, l + Most}", "{l}"))
    cfg = "CONSTANT Most = 3\nSPECIFICATION Spec\nINVARIANTS TypeOK Dim\n"
    (tmp_path / "MCLamp.cfg").write_text(cfg)
    (tmp_path / "MCLampToo.cfg").write_text(cfg)
    monkeypatch.setattr(command, "SPEC", tmp_path)
    return tmp_path


def no_file(_package: str, _path: str) -> None:
    """Find nothing installed."""


def test_a_jar_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = tmp_path / "tla2tools.jar"
    jar.write_bytes(b"another")
    monkeypatch.delenv("AWA_TLA2TOOLS", raising=False)
    monkeypatch.setattr(tlc, "package_file", lambda _package, _path: jar)
    with pytest.raises(tlc.SetupError, match=r"has sha256 [0-9a-f]{64}, and jar\.lock another"):
        tlc.find_jar()


def test_the_jar_that_is_installed_is_the_locked_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWA_TLA2TOOLS", raising=False)
    assert tlc.find_jar().endswith("tla2tools.jar")


def test_a_jar_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWA_TLA2TOOLS", str(tmp_path / "mine.jar"))
    with pytest.raises(tlc.SetupError, match=r"mine\.jar, which is not a file"):
        tlc.find_jar()
    (tmp_path / "mine.jar").write_bytes(b"another")
    assert tlc.find_jar() == str(tmp_path / "mine.jar")


@pytest.mark.parametrize("text", ["", "# none\n", "12ab\n", "12ab a.jar\n34cd b.jar\n"])
def test_a_lock_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "jar.lock").write_text(text)
    with pytest.raises(tlc.SetupError, match="should hold one row"):
        tlc.locked_sha256(tmp_path / "jar.lock")


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWA_TLA2TOOLS", raising=False)
    monkeypatch.setattr(tlc, "package_file", no_file)
    with pytest.raises(tlc.SetupError, match=r"no tla2tools\.jar: install the extra `spec`"):
        tlc.find_jar()
    monkeypatch.setattr(shutil, "which", lambda _name: "/a/java")
    assert tlc.find_java() == "/a/java"
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(tlc.SetupError, match="no Java: install the extra `spec`"):
        tlc.find_java()


def test_the_models_are_found_in_a_wheel_and_in_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tlc.spec_folder() == ROOT / "spec"
    monkeypatch.setattr(tlc, "__file__", str(tmp_path / "awa" / "lab" / "tlc.py"))
    with pytest.raises(tlc.SetupError, match="the models are neither in"):
        tlc.spec_folder()
    for folder in (tmp_path / "spec", tmp_path / "awa" / "lab" / "spec"):
        folder.mkdir(parents=True)
        (folder / "jar.lock").touch()
        assert tlc.spec_folder() == folder


def test_a_call_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    slow = tmp_path / "java"
    slow.write_text("#!/bin/sh\nexec sleep 5\n")
    slow.chmod(0o755)
    call = tlc.Call(tmp_path / "Lamp", tmp_path / "MCLamp.cfg", tmp_path, limit_s=1)
    assert tlc.run(tlc.Tools(str(slow), "a.jar"), call) == tlc.Output("", None)


@pytest.mark.tlc
def test_traces_are_judged(
    command: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    write_lives(good, [WHOLE, SHORT])
    assert command.main(["tv", str(good)]) == 0
    assert capsys.readouterr().out == "2 of 2 lives accepted\n"
    write_lives(bad, [SHORT, with_steps(ENQUEUE, COMPLETE)])
    assert command.main(["tv", str(good), str(bad)]) == 1
    first, state, last = capsys.readouterr().out.splitlines()
    assert first == f"{bad}, life 1, step 1, Complete: no step"
    assert state.startswith("    [enqueued |-> ")
    assert last == "3 of 4 lives accepted"


def test_a_life_that_the_model_cannot_have_is_named_by_its_file(
    command: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    write_lives(good, [WHOLE, SHORT])
    write_lives(bad, [SHORT, replace(SHORT, constants=())])
    assert command.main(["tv", str(good), str(bad)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tlc.py: {bad}, life 1: the constants of Queue are Jobs, ")


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["tv", "nowhere.json"], "nowhere.json cannot be read"),
        (["tv", "empty.json"], "empty.json holds no life"),
        (["tv", "stack.json"], "Stack.tla cannot be read"),
        (["mc", "Stack"], "no check is named Stack; there are MCQueue"),
        (["dump", "Stack"], "no check is named Stack"),
        (["dump", "MCQueue*"], r"MCQueue\* is \d+ checks"),
        (["dump", "MCQueue", "--to", "graph.png"], r"graph.png is not a \.dot"),
        (["dump", "MCQueue", "--to", "nowhere/graph.dot"], "graph.dot is not a .dot in a folder"),
        (["sim", "Stack"], "no check is named Stack"),
    ],
)
def test_what_cannot_be_done_is_said(
    command: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    args: list[str],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.json").write_text("[]")
    write_lives(Path("stack.json"), [replace(WHOLE, model="Stack")])
    assert command.main(args) == 2
    captured = capsys.readouterr()
    assert re.match(f"tlc.py: .*{why}", captured.err)
    assert captured.out == ""


def test_without_java_nothing_is_accepted(
    command: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_lives(tmp_path / "lives.json", [WHOLE])
    monkeypatch.setattr(tlc, "package_file", no_file)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    for args in (["tv", str(tmp_path / "lives.json")], ["mc", "MCQueue"], ["sim", "MCQueue"]):
        assert command.main(args) == 2
        assert capsys.readouterr().err.startswith("tlc.py: no Java")


@pytest.mark.tlc
def test_a_graph_is_written(command: ModuleType, lamp: Path) -> None:
    file = lamp / "lamp.dot"
    assert command.main(["dump", "MCLamp", "--to", str(file)]) == 0
    graph = file.read_text()
    assert len(re.findall(r"^-?\d+ \[label=", graph, re.MULTILINE)) == 8
    assert set(re.findall(r'-> .*label="(\w+)"', graph)) >= {"Up", "Down", "Off"}


@pytest.mark.tlc
def test_a_walk_at_random_is_taken_and_may_refute(
    command: ModuleType, lamp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["sim", "MCLamp", "--behaviours", "20", "--depth", "9"]
    assert command.main(args) == 0
    assert re.fullmatch(
        r"MCLamp: \d+ states of 20 behaviours, none refuted\n", capsys.readouterr().out
    )
    text = (lamp / "Lamp.tla").read_text()
    (lamp / "Lamp.tla").write_text(text.replace("l + n <= Most /\\ ", ""))
    assert command.main(args) == 1
    assert "Invariant Dim is violated" in capsys.readouterr().out


@pytest.mark.tlc
def test_the_suite_holds_a_model_to_what_it_expects(
    command: ModuleType, lamp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["all"]) == 0
    assert capsys.readouterr().out.endswith("2 of 2 as expected\n")
    (lamp / "suite.toml").write_text(LAMP_SUITE.replace('"pass"', '"Dim violated"', 1))
    assert command.main(["mc", "MCLamp"]) == 1
    assert "<-- expected Dim violated" in capsys.readouterr().out


@pytest.mark.tlc
def test_what_a_long_check_can_do_is_taken_by_others() -> None:
    checks = read_suite()
    for long in (check for check in checks if check.long):
        others = [check for check in checks if check.covers and not check.nightly]
        alike = [one for one in others if Path(one.module).name.startswith(long.module)]
        actions = set(long.load().actions)
        assert not long.idle
        assert actions == {action for one in alike for action in actions - set(one.idle)}


def test_many_checks_load_tlc_from_an_archive(
    command: ModuleType, lamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = command.read_suite(lamp)
    assert command.tools_for(checks, lamp) == tlc.find_tools()
    monkeypatch.setattr(command, "CHECKS_ARCHIVED_MIN", 2)
    tools = command.tools_for(checks, lamp)
    assert tools != tlc.find_tools()
    log = lamp / "loads.log"
    tells = (*tlc.SHORT, f"-Xlog:class+load:file={log}")
    output = tlc.run(tools, replace(command.call(checks[1]), java=tells))
    assert tlc.completed(output.text)
    assert "tlc2.TLC source: shared objects file" in log.read_text()


@pytest.mark.tlc
@pytest.mark.parametrize("broken", ["gone", "torn"])
def test_an_archive_that_is_no_good_fails_no_check(
    command: ModuleType, lamp: Path, broken: str
) -> None:
    (check, _) = command.read_suite(lamp)
    tools = tlc.archived(tlc.find_tools(), command.call(check), lamp)
    archive = lamp / "tlc.jsa"
    if broken == "gone":
        archive.unlink()
    else:
        archive.write_bytes(archive.read_bytes()[: 1 << 20])
    assert command.run(tools, check).fault == ""


def test_a_java_that_makes_no_archive_goes_without(command: ModuleType, lamp: Path) -> None:
    tools = tlc.Tools("false", "a.jar")
    (check, _) = command.read_suite(lamp)
    assert tlc.archived(tools, command.call(check), lamp) == tools


def test_a_walk_that_says_nothing_has_failed(
    command: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs: list[Any] = [tlc.Output("", 0), tlc.Output("", None)]
    monkeypatch.setattr(tlc, "run", lambda _tools, _call: outputs.pop())
    assert command.main(["sim", "MCQueue"]) == 1
    assert command.main(["sim", "MCQueue"]) == 1
