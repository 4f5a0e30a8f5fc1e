"""One verb, one name, everywhere: the .sql file, the SQL function, the method, the model's action.

Owns: the comparison of the names in all places.
Keeps: a verb that is in one place and not in another fails here.
Above: nobody. Below: awa.store, spec.
"""

import inspect
import re
from pathlib import Path

import pytest

from awa.store.leader import LeaderStore
from awa.store.operator import OperatorStore
from awa.store.producer import ProducerStore
from awa.store.worker import WorkerStore

ROOT = Path(__file__).parent.parent
SQL = ROOT / "awa" / "store" / "sql"
DOORS = {
    "producer": ProducerStore,
    "worker": WorkerStore,
    "leader": LeaderStore,
    "operator": OperatorStore,
}
# What is no verb of its own: reads of the view, and compositions of verbs.
NOT_VERBS = {"producer": {"copy"}, "operator": {"get"}}
# Verbs that only other verbs and workers of other languages call: a step composes them.
COMPOSED = {"worker": {"claim", "finish"}, "producer": {"reserve"}}

FILES = sorted(path for folder in [*DOORS, "inner", "view"] for path in (SQL / folder).glob("*"))


def actions(module: str) -> set[str]:
    """Return the names that a model defines."""
    text = (ROOT / "spec" / module).read_text()
    return set(re.findall(r"^(\w+)(?:\([^)]*\))? ==", text, re.MULTILINE))


@pytest.mark.parametrize("role", DOORS)
def test_every_verb_of_a_role_is_a_method_of_its_door(role: str) -> None:
    files = {path.stem for path in (SQL / role).glob("*.sql")}
    methods = {
        name
        for name, _ in inspect.getmembers(DOORS[role], inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    methods -= NOT_VERBS.get(role, set())
    assert files - COMPOSED.get(role, set()) == methods


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_makes_what_its_name_says(path: Path) -> None:
    made = re.findall(
        r"^create or replace (?:function|view) \{schema\}\.(\w+)", path.read_text(), re.MULTILINE
    )
    assert made == [path.stem]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_verb_names_its_action_in_a_model_that_is_there(path: Path) -> None:
    (said,) = re.findall(r"^-- spec    (.*)$", path.read_text(), re.MULTILINE)
    if said.startswith("none: "):
        return
    named = re.findall(r"(\w+\.tla)!(\w+)", said)
    assert named, f"neither an action nor 'none: why': {said}"
    for module, action in named:
        assert action in actions(module), f"{module} has no action {action}"


def test_what_a_verb_writes_into_the_trace_is_an_action_of_a_model() -> None:
    written: dict[str, str] = {}
    for path in FILES:
        # A verdict that fails a job names its act to the function that holds it.
        for act in re.findall(r"perform trace\('(\w+)'|, worker, '(\w+)'\)", path.read_text()):
            written["".join(act)] = path.read_text()
    modelled = {name for path in (ROOT / "spec").glob("*.tla") for name in actions(path.name)}
    assert set(written) <= modelled
    page = (ROOT / "traces" / "README.md").read_text()
    (named,) = re.findall(r"in their own transaction: (.*?)\.\n", page, re.DOTALL)
    assert set(re.findall(r"[A-Z]\w+", named)) == set(written)
