#!/usr/bin/env python3
"""How well credentials are found: recall by source on peers' positive examples, false positives by class on negatives.

    tests/bench/quality.py --vedette build/src/cli/vedette DATA/secrets
"""
import argparse
import collections
import json
import lzma
import os
import subprocess


def scan(vedette, texts):
    lines = "".join(json.dumps({"id": i, "text": t, "role": "response"}) + "\n" for i, t in enumerate(texts))
    out = subprocess.run([vedette, "scan", "--only", "credential"], input=lines.encode(), stdout=subprocess.PIPE).stdout.decode()
    return [[f["kind"] for f in json.loads(x).get("findings", [])] for x in out.splitlines()]


def rows(path):
    with lzma.open(path, "rt", encoding="utf-8") as f:
        return [json.loads(x) for x in f]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--vedette", default="build/src/cli/vedette")
    p.add_argument("--kinds", action="store_true", help="which kinds hit in each class of negatives")
    p.add_argument("data", help="the folder with peer_secrets.jsonl.xz and negatives.jsonl.xz")
    a = p.parse_args()
    for name, expect, by in (("peer_secrets", "match", lambda r: r["source"].split(":")[0]),
                             ("negatives", None, lambda r: r["group"])):
        data = [r for r in rows(os.path.join(a.data, name + ".jsonl.xz")) if expect is None or r["expect"] == expect]
        hits = collections.defaultdict(lambda: [0, 0, collections.Counter()])
        for r, kinds in zip(data, scan(a.vedette, [r["text"] for r in data])):
            h = hits[by(r)]
            h[0] += 1
            h[1] += bool(kinds)
            h[2].update(kinds)
        print(f"{name}: share of texts with a finding")
        for k in sorted(hits):
            n, hit, kinds = hits[k]
            print(f"  {k:44} {n:6} {100 * hit / n:6.1f} %" + ("  " + str(dict(kinds.most_common(4))) if a.kinds else ""))


if __name__ == "__main__":
    main()
