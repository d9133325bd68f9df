#!/usr/bin/env python3
"""How well `vedette scan` tells attacks from ordinary text, source by source.

    tests/bench/injection.py [--vedette build/src/cli/vedette] [--validation] DATA

DATA is a folder of JSON Lines files (.jsonl or .jsonl.xz, searched recursively) with rows {"text", "label", "role"?}. Labels:
jailbreak and indirect_injection are attacks, benign and benign_hard are not, harmful_request (a plain harmful question) is shown
but is neither. A row without a role is scanned as what its label says: a jailbreak as a prompt, an indirect injection as a document,
benign rows as both. --validation keeps only the sources of which no row was read while the rules were written (VALIDATION below).

Reads nothing of the text itself: what counts is the score that vedette reports.
"""
import argparse
import collections
import json
import lzma
import pathlib
import subprocess
import sys
import tempfile

DETECT_AT, BLOCK_AT = 0.60, 0.95  # the default policy
ATTACKS = ("jailbreak", "indirect_injection")
SCORE = {"prompt": "jailbreak", "document": "indirect"}
VALIDATION = ("atk_giskard", "bipia_train", "ind_bare", "bh_awesome_prompts", "bh_nemo", "bh_payloads_web", "bh_synth_hardneg",
              "ben_gpteacher_roleplay", "ben_company_docs", "ben_gsm8k", "ben_injecagent_clean", "ben_presidio_synth",
              "ben_tool_responses", "ben_zh_seed")


def source_name(path):
    return path.name.split(".")[0]


def rows(path):
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def roles(row):
    if row.get("role") in SCORE:
        return [row["role"]]
    if row["label"] == "indirect_injection":
        return ["document"]
    return ["prompt"] if row["label"] in ("jailbreak", "harmful_request") else ["prompt", "document"]


def write_input(paths, out):
    """One line per scan; returns (label, role, source) of each."""
    keys = []
    for path in paths:
        for row in rows(path):
            for role in roles(row):
                out.write(json.dumps({"id": len(keys), "role": role, "text": row["text"]}).encode() + b"\n")
                keys.append((row["label"], role, source_name(path)))
    out.flush()
    return keys


def scan(vedette, path, keys):
    """The scores, grouped by key."""
    scores = collections.defaultdict(list)
    command = [vedette, "scan", "--only", "jailbreak,indirect", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            result = json.loads(line)
            if "scores" not in result:
                sys.exit(f"vedette scan: {result}")
            key = keys[result["id"]]
            scores[key].append(result["scores"][SCORE[key[1]]])
    if process.returncode != 0:
        sys.exit(f"vedette scan ended with {process.returncode}")
    return scores


def percent(scores, level):
    return 100 * sum(s >= level for s in scores) / len(scores)


def table(title, groups):
    print(f"\n{title:<50} {'texts':>7} {'>= 0.60':>8} {'>= 0.95':>8}")
    for key in sorted(groups):
        values = groups[key]
        print(f"{'  '.join(key):<50} {len(values):>7} {percent(values, DETECT_AT):>7.2f}% {percent(values, BLOCK_AT):>7.3f}%")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--vedette", default="build/src/cli/vedette")
    parser.add_argument("--validation", action="store_true", help="only the sources of which no row was read")
    args = parser.parse_args()
    paths = sorted(p for p in args.data.rglob("*.jsonl*") if p.suffix in (".jsonl", ".xz"))
    if args.validation:
        paths = [p for p in paths if source_name(p) in VALIDATION]
    if not paths:
        sys.exit(f"no .jsonl or .jsonl.xz file under {args.data}")
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        scores = scan(args.vedette, file.name, write_input(paths, file))
    totals = collections.defaultdict(list)
    for (label, role, _), values in scores.items():
        totals[label, role] += values
    table("label, role, source", scores)
    table("all sources: label, role", totals)


if __name__ == "__main__":
    main()
