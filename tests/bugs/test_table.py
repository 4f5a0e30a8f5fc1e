"""The table of bugs is that of the catalogue.

Owns: that the page is what `make bugs` would write of what it has found.
Keeps: nobody edits it, and no bug is missing in it.
Above: nobody. Below: table.
"""

from tests.bugs import table
from tests.bugs.tales import WAYS


def test_the_findings_are_of_these_bugs() -> None:
    found = table.load()
    assert list(found.caught) == table.all_names(), "run `make bugs`"
    assert list(found.tales) == list(WAYS), "run `make bugs`"


def test_the_page_is_made_of_what_was_found() -> None:
    assert table.PAGE.read_text() == table.page(table.load()), "run `make bugs`"
