#!/usr/bin/python3
"""Brings the numbers in the table of model/data/README.md up to date, and says which file has no row there: what a file is, its row says by hand."""
import re
import sys

from text import ROOT, read_rows

CARD = ROOT / "model/data/README.md"
counts, total = {}, [0, 0]
for path in sorted((ROOT / "model/data").glob("*.jsonl")):
    labels = [r["label"] for r in read_rows(path)]
    counts[path.stem] = (labels.count("attack"), labels.count("benign"))
    total = [a + b for a, b in zip(total, counts[path.stem])]


def row(found):
    numbers = counts.pop(found["file"], None) if found["file"] else total
    if numbers is None:
        sys.exit(f"{CARD}: there is no file {found['file']}")
    return f"| {found['name']} |" + "".join(f" {n:,} |" if n else " |" for n in numbers)


CARD.write_text(re.sub(r"^\| (?P<name>`(?P<file>\w+)`|all) \|(?: [\d,]+)? \|(?: [\d,]+)? \|", row, CARD.read_text(), flags=re.M))
if counts:
    sys.exit(f"{CARD}: no row for {', '.join(counts)}")
