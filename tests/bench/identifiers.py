#!/usr/bin/env python3
"""Numbers of persons and accounts against a reference library's verdicts.

    tests/bench/identifiers.py --vedette build/src/cli/vedette DATA/pii

Every bare number of a kind that `check: identifier` knows is put behind that kind's name and scanned; a valid one must be found and an invalid
one must not. Prints a line per kind; the exit status is 1 when one differs."""
import argparse, glob, json, lzma, os, subprocess, sys

KINDS = {"gb.nhs": ("gb-nhs", "nhs number"), "nl.bsn": ("nl-bsn", "bsn"), "pl.pesel": ("pl-pesel", "pesel"), "pl.nip": ("pl-nip", "numer nip"),
         "at.vnr": ("at-svnr", "svnr"), "au.tfn": ("au-tfn", "tfn"), "us.rtn": ("us-aba", "routing number"), "ch.ssn": ("ch-ahv", "ahv"),
         "ca.sin": ("ca-sin", "social insurance number"), "za.idnr": ("za-id", "south african id"), "gr.amka": ("gr-amka", "amka"),
         "imei": ("imei", "imei"), "de.idnr": ("de-idnr", "idnr"), "hr.oib": ("hr-oib", "oib"), "in_.aadhaar": ("in-aadhaar", "aadhaar"),
         "cn.ric": ("cn-ric", "resident id"), "br.cpf": ("br-cpf", "cpf"), "fr.nir": ("fr-nir", "nir")}


def numbers(folder):
    """(kind, number, valid) of the rows whose text is a number and nothing else."""
    for path in sorted(glob.glob(os.path.join(folder, "*.jsonl.xz"))):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                text = row["text"].strip()
                bare = sum(c.isalpha() for c in text) <= 2
                if row.get("under_test") in KINDS and row.get("valid") is not None and bare:
                    yield row["under_test"], text, row["valid"]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--vedette", required=True)
    args.add_argument("folder")
    args = args.parse_args()
    rows = list(numbers(args.folder))
    asked = "".join(json.dumps({"id": i, "text": f"{KINDS[k][1]}: {t}"}) + "\n" for i, (k, t, _) in enumerate(rows))
    out = subprocess.run([args.vedette, "scan", "--as", "response", "--only", "sensitive"], input=asked, capture_output=True, text=True).stdout
    found = {a["id"]: {f["kind"] for f in a["findings"]} for a in map(json.loads, out.splitlines())}
    bad = 0
    print("kind            valid found  invalid found")
    for kind in sorted({k for k, _, _ in rows}):
        mine = [(KINDS[kind][0] in found[i], t, v) for i, (k, t, v) in enumerate(rows) if k == kind]
        good, wrong = [m for m in mine if m[2]], [m for m in mine if not m[2]]
        print(f"{kind:14} {len(good):6} {sum(m[0] for m in good):5} {len(wrong):8} {sum(m[0] for m in wrong):5}")
        for hit, text, valid in mine:
            if hit != valid:
                bad += 1
                print(f"    {'missed' if valid else 'found'}: {text!r}")
    print(f"{len(rows)} numbers, {bad} judged otherwise than the library does")
    return 1 if bad or not rows else 0


sys.exit(main())
