"""docs/zoo.md has every network that the catalog has."""

import catalog


def test_the_page_lists_every_network():
    lines = (catalog.ROOT / "docs" / "zoo.md").read_text().splitlines()
    listed = {line.split("|")[1].strip() for line in lines if line.startswith("| ")}
    missing = {entry.name for entry in catalog.load()} - listed
    assert not missing, "run the zoo's tests, then tests/zoo/table.py"
