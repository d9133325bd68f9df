#!/usr/bin/env python3
"""How well leaks are found: recall by source on other scanners' positive examples, false positives by class of clean text.

    tests/bench/quality.py --vedette build/src/cli/vedette DATA/secrets [--pii DATA/pii] [--text DATA/text/FILE.jsonl.xz ...]

--pii measures sensitive data at the least confidence given by --minimum; --text counts findings of credentials, and with --pii of sensitive data, in unlabelled
text, which the credential rules were not tuned on. --hits prints each finding of sensitive data in ordinary texts with what stands around it, so that it can be read.
E-mail addresses, telephone numbers with a + and addresses on the web of an ordinary text are what they are and are left out of these shares.
"""
import argparse
import collections
import itertools
import json
import lzma
import os
import re
import subprocess
import tempfile

CONFIG = """workspaces: [{name: w}]
policies: [{name: p, sensitive: {response: detect, minimum_confidence: %d}, credential: {response: detect, minimum_confidence: %d}}]
deployments: [{name: d, workspace: w, upstream: simulated, policy: p}]
"""
KINDS = {"CREDIT_CARD": "payment-card", "IBAN_CODE": "iban", "iban": "iban", "US_SSN": "us-ssn", "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone"}


def scan(vedette, texts, only="credential", minimum=None):
    lines = "".join(json.dumps({"id": i, "text": t, "role": "response"}) + "\n" for i, t in enumerate(texts))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(CONFIG % (minimum or 0, minimum or 0))
        f.flush()
        config = ["--config", f.name] if minimum else []
        out = subprocess.run([vedette, "scan", *config, "--only", only], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(x)["findings"] for x in out.decode().splitlines()]


def rows(path):
    with lzma.open(path, "rt", encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)


def show(name, hits, kinds_too):
    print(f"{name}: share with a finding")
    for k in sorted(hits):
        n, hit, kinds = hits[k]
        print(f"  {k:44} {n:6} {100 * hit / n:6.1f} %" + (f"  {dict(kinds.most_common(4))}" if kinds_too else ""))


# What an example that is no secret looks like. The criterion looks at the example alone and shares nothing with the scanner.
WORDS = re.compile(r"example|sample|dummy|placeholder|change.?me|redacted|your|my_?(password|secret|username)|this.?is.?my|open.sesame"
                   r"|xxx|\*\*\*|fake|###|exactly|hello|some_|smtp_password|super secret|yabba", re.I)
WHOLE = re.compile(r"(user|pass|password|secret|admin|root|test|username|value with quotes and spaces)\W*$", re.I)
HOLE = re.compile(r"<[^>]*>|#?\$?\{[^{}]*\}|%\w+%|\$\w+")
# Rules of peers for what is public, or only says whose something is.
NO_SECRET = re.compile(r"(-id|-username|-bucket|-domain|-resource-name|-public-key|-service-account)$")
# The same by the name in the example, and what standards and vendors publish: jwt.io's token, RFC 6750's and RFC 7617's.
PUBLIC_NAME = re.compile(r"^\W*\w*(client|tenant|account)_id\W+[\w-]+\W*$", re.I)
PUBLISHED = re.compile(r"SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c|IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ$|mF_9\.B5f-4\.1JqM|QWxhZGRpbjpvcGVuIHNlc2FtZQ")
PREFIX = re.compile(r"^[A-Za-z0-9-]{2,12}?[-_]|^A[A-Z0-9]{3}|^[A-Z]{2}|^AGE-SECRET-KEY-1")


def is_stand_in(value):
    """Made-up: a word that says so, a template's hole, or a body of at most 4 different characters, or half of it in stretches of at least four
    that count up or down (1234, abcd, ZYXW), letters in any case."""
    value = value.strip(" \t\n\"'=;,`")
    body = PREFIX.sub("", value)
    if WORDS.search(value) or WHOLE.match(value) or HOLE.fullmatch(value):
        return True
    last = re.split(r"[-_]", value)[-1]
    if len(value) >= 8 and (len(set(body)) <= 4 or (len(last) >= 12 and len(set(last)) <= 4)):
        return True
    steps = [ord(b) - ord(a) for a, b in zip(body.lower(), body.lower()[1:])]
    steps = [0 if s not in (1, -1) else s for s in steps]
    counted = sum(n + 1 for step, g in itertools.groupby(steps) if step for n in [len(list(g))] if n >= 3)
    return len(body) >= 6 and counted * 2 >= len(body)


def no_secret(row):
    """Why an example of a peer holds no secret, or None."""
    if NO_SECRET.search(row["rule"] or ""):
        return "public"
    text = row["text"]
    if PUBLIC_NAME.match(text) or PUBLISHED.search(text):
        return "public"
    spans = [text[a:b] for a, b in row.get("secret_spans") or []] or [max(re.split(r"[\s=:\"']+", text), key=len)]
    return "stand-in" if all(is_stand_in(s) for s in spans) else None


def by_kind(vedette, data):
    """Recall by kind, over all examples and over those that no_secret() lets pass. With --misses, what is missed of the latter."""
    data = list(data)
    kinds = collections.defaultdict(lambda: [0, 0, 0, 0])
    left_out = collections.Counter()
    missed = []
    for r, found in zip(data, scan(vedette, [r["text"] for r in data])):
        why = no_secret(r)
        k = kinds[r["kind"]]
        k[0] += 1
        k[1] += bool(found)
        k[2] += not why
        k[3] += bool(found) and not why
        left_out[why, bool(found)] += bool(why)
        if not found and not why:
            missed.append((r["kind"], r["text"]))
    all_kinds = sum(v[1] < 0.97 * v[0] for v in kinds.values())
    below = {k: v for k, v in kinds.items() if v[3] < 0.97 * v[2]}
    print(f"recall by kind: below 97 % are {all_kinds} of {len(kinds)} kinds over all examples, {len(below)} without what is no secret")
    print(f"  {'kind':44} {'all':>6} {'found':>6} {'secret':>6} {'found':>6}")
    for k, v in sorted(below.items(), key=lambda x: x[1][3] - x[1][2]):
        print(f"  {k:44} {v[0]:6} {v[1]:6} {v[2]:6} {v[3]:6}")
    total = [sum(v[i] for v in kinds.values()) for i in range(4)]
    print(f"  {'all kinds':44} {total[0]:6} {total[1]:6} {total[2]:6} {total[3]:6}   {100 * total[1] / total[0]:.1f} % {100 * total[3] / total[2]:.1f} %")
    print("  left out:", ", ".join(f"{n} {w}{' (found all the same)' if f else ''}" for (w, f), n in sorted(left_out.items(), key=str) if w))
    return missed


def by_class(vedette, name, data, key, kinds_too, **how):
    hits = collections.defaultdict(lambda: [0, 0, collections.Counter()])
    data = list(data)
    for r, found in zip(data, scan(vedette, [r["text"] for r in data], **how)):
        for h in (hits[key(r)], hits["all"]):
            h[0] += 1
            h[1] += bool(found)
            h[2].update(f["kind"] for f in found)
    show(name, hits, kinds_too)


CONTACT = {"email", "phone", "phone-national", "phone-local", "cn-mobile", "br-phone", "ip-address", "mac-address"}


def ordinary(vedette, name, data, key, minimum, hits_too):
    """Sensitive data in ordinary texts: the share of each class with a finding that is no contact, and each hit."""
    data = list(data)
    classes = collections.defaultdict(lambda: [0, 0, collections.Counter()])
    for r, found in zip(data, scan(vedette, [r["text"] for r in data], "sensitive", minimum)):
        found = [f for f in found if f["kind"] not in CONTACT]
        h = classes[key(r)]
        h[0] += 1
        h[1] += bool(found)
        h[2].update(f["kind"] for f in found)
        for f in found if hits_too else []:
            raw = r["text"].encode()
            around = raw[max(0, f["start"] - 70):f["end"] + 40].decode(errors="replace").replace("\n", " ")
            print(f"    {f['kind']} {f['confidence']} [{raw[f['start']:f['end']].decode(errors='replace')}] {around}")
    show(name, classes, True)


def byte_spans(row):
    at = [0, *itertools.accumulate(len(c.encode()) for c in row["text"])]
    return [(at[s["start"]], at[s["end"]], KINDS.get(s["type"])) for s in row["spans"]]


def pii(vedette, path, minimum):
    data = [r for r in rows(path) if r.get("valid") is not False]
    hits = collections.defaultdict(lambda: [0, 0, collections.Counter()])
    for r, found in zip(data, scan(vedette, [r["text"] for r in data], "sensitive", minimum)):
        for start, end, kind in byte_spans(r):
            if kind:
                h = hits[f"{kind} ({r['source'].split(':')[0]})"]
                h[0] += 1
                h[1] += any(f["kind"].startswith(kind) and f["start"] < end and start < f["end"] for f in found)
    show(f"peer_pii, confidence {minimum} and more, spans", hits, False)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--vedette", default="build/src/cli/vedette")
    p.add_argument("--kinds", action="store_true", help="which kinds hit in each class")
    p.add_argument("--by-kind", action="store_true", help="recall by kind of credential, those below 97 %%")
    p.add_argument("--misses", action="store_true", help="with --by-kind, print each example that is a secret and not found")
    p.add_argument("--pii", help="the folder with peer_pii.jsonl.xz")
    p.add_argument("--hits", action="store_true", help="print each finding of sensitive data in ordinary texts")
    p.add_argument("--only-pii", action="store_true", help="leave the credentials out")
    p.add_argument("--minimum", type=int, default=65, help="least confidence for --pii (default 65)")
    p.add_argument("--text", nargs="*", default=[], help="unlabelled text, the first 17,000 documents of each file")
    p.add_argument("data", help="the folder with peer_secrets.jsonl.xz and negatives.jsonl.xz")
    a = p.parse_args()
    negatives = os.path.join(a.data, "negatives.jsonl.xz")
    if not a.only_pii:
        positive = [r for r in rows(os.path.join(a.data, "peer_secrets.jsonl.xz")) if r["expect"] == "match"]
        by_class(a.vedette, "peer_secrets, credentials", positive, lambda r: r["source"].split(":")[0], a.kinds)
        if a.by_kind:
            missed = by_kind(a.vedette, positive)
            for kind, text in missed if a.misses else []:
                print(f"    {kind}: {text[:200]!r}")
        by_class(a.vedette, "negatives, credentials", rows(negatives), lambda r: r["group"], a.kinds)
    for path in a.text:
        texts = list(itertools.islice(rows(path), 17000))
        if not a.only_pii:
            by_class(a.vedette, "unlabelled, credentials", texts, lambda r: os.path.basename(path), a.kinds)
        if a.pii:
            ordinary(a.vedette, f"unlabelled, sensitive data, confidence {a.minimum} and more", texts, lambda r: os.path.basename(path), a.minimum, a.hits)
    if a.pii:
        pii(a.vedette, os.path.join(a.pii, "peer_pii.jsonl.xz"), a.minimum)
        for least in (a.minimum, 85):
            ordinary(a.vedette, f"negatives, sensitive data, confidence {least} and more", rows(negatives), lambda r: r["group"], least, a.hits)

if __name__ == "__main__":
    main()
