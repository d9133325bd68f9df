#!/usr/bin/python3
"""From texts to numbers, once: what the training programs read, so that they run where nothing of vedette can be built (a rented GPU).

    model/train/pack.py --data SHARED/data --work DIR

Writes DIR/rows.xz (labelled rows and orders taken from composites) and DIR/raw-0.xz ... (raw text, and the order in which it is wanted when not all of
it fits). Each is a compressed archive of arrays; TEXTS are tokens one after the other and where each text ends.
"""
import argparse
import concurrent.futures
import io
import json
import lzma
import pathlib

import numpy as np

import corpus
import examples
from examples import Example, LONGEST
from text import DOCUMENT, ROOT, Vocabulary, read_rows

MOST = 1 << 15  # tokens of a raw text
# Shards of raw text by how near they are to what people and programs say to models.
RAW = (("more-0", "more-1"), ("more-2", "more-3", "more-4", "text-2"), ("text-0", "text-1", "text-3", "more-5"))


def save(path, **arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    part = pathlib.Path(str(path) + ".part")
    part.write_bytes(lzma.compress(out.getvalue(), preset=6))
    part.replace(path)


def load(path):
    return dict(np.load(io.BytesIO(lzma.decompress(pathlib.Path(path).read_bytes()))))


def flat(texts):
    return {"tokens": np.concatenate(texts).astype(np.uint16), "ends": np.cumsum([len(t) for t in texts]).astype(np.int64)}


def texts(pack):
    begins = np.concatenate([[0], pack["ends"][:-1]])
    return [pack["tokens"][a:b] for a, b in zip(begins, pack["ends"])]


def pack_rows(data, vocabulary):
    rng, rows = np.random.default_rng(0), corpus.load(data)
    out = lambda r: corpus.kept_out(r)
    every = [(e, False) for e in examples.build([r for r in rows if not out(r)], vocabulary, rng)]
    every += [(e, True) for e in examples.build([r for r in rows if out(r)], vocabulary)]
    orders = [Example(vocabulary.tokens(t), True, DOCUMENT, -1, 1.0, examples.ORDERS, False) for t in examples.instructions_of_composites(rows)]
    every += [(e, False) for e in orders]
    sources = sorted({e.source for e, _ in every})
    of = {s: i for i, s in enumerate(sources)}
    column = lambda get, kind: np.array([get(e) for e, _ in every], kind)
    return {**flat([e.tokens for e, _ in every]), "attack": column(lambda e: e.attack, bool), "role": column(lambda e: e.role, np.uint8),
            "category": column(lambda e: e.category, np.int8), "weight": column(lambda e: e.weight, np.float32),
            "source": column(lambda e: of[e.source], np.int16), "harmful": column(lambda e: e.harmful, bool),
            "ours": column(lambda e: e.ours, bool), "kept": np.array([k for _, k in every]),
            "meta": np.frombuffer(json.dumps({"sources": sources, "line_ends": [int(t) for t in vocabulary.ends()],
                                              "vocabulary": vocabulary.size}).encode(), np.uint8)}


def pack_raw(data, shards, vocabulary):
    cut, plain = [], []
    for shard in shards:
        for row in read_rows(pathlib.Path(data) / "text" / f"{shard}.jsonl.xz"):
            tokens = vocabulary.tokens(row["text"], MOST)
            if len(tokens):
                cut.append(tokens)
                plain.append(shard in corpus.PLAIN)
    return {**flat(cut), "plain": np.array(plain)}


def meta_of(rows):
    return json.loads(rows["meta"].tobytes())


class Rows:
    """rows.xz: .trained, .kept, .orders are lists of examples."""

    def __init__(self, work, leave_out=()):
        pack = load(work / "rows.xz")
        meta = meta_of(pack)
        self.vocabulary, self.line_ends = meta["vocabulary"], meta["line_ends"]
        self.trained, self.kept, self.orders = [], [], []
        columns = (pack[c].tolist() for c in ("attack", "role", "category", "weight", "source", "harmful", "ours"))
        for tokens, kept, attack, role, category, weight, source, harmful, ours in zip(texts(pack), pack["kept"].tolist(), *columns):
            e = Example(tokens, attack, role, category, weight, meta["sources"][source], harmful, ours)
            place = self.orders if e.source == examples.ORDERS else self.kept if kept or e.source in leave_out else self.trained
            place.append(e)


def plain_texts(work, most=LONGEST, odd=0):
    """Tokens of raw texts that fine-tuning may see; every second one, so that the gate has others."""
    for path in sorted(work.glob("raw-*.xz")):
        pack = load(path)
        yield from (t[:most] for t, plain in list(zip(texts(pack), pack["plain"]))[odd::2] if plain)


def write_raw(job):
    data, work, i = job
    save(work / f"raw-{i}.xz", **pack_raw(data, RAW[i], Vocabulary((ROOT / "model/vocabulary.bin").read_bytes())))
    return f"raw-{i}.xz"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--work", required=True, type=pathlib.Path)
    p.add_argument("--rows-only", action="store_true", help="leave the raw text as it was packed before")
    a = p.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary((ROOT / "model/vocabulary.bin").read_bytes())
    save(a.work / "rows.xz", **pack_rows(a.data, vocabulary))
    print("rows.xz", flush=True)
    if not a.rows_only:
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            for name in pool.map(write_raw, [(a.data, a.work, i) for i in range(len(RAW))]):
                print(name, flush=True)


if __name__ == "__main__":
    main()
