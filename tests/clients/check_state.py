#!/usr/bin/env python3
"""check_state.py STATE BEFORE: writes down what every file of the state folder is, before anything was said.
check_state.py STATE BEFORE CONFIG FILE...: no file of the state folder has a stretch of the traffic that the files have; exit status 1 when one has, or when
nothing was looked for."""
import json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gateway"))
import traffic

state, before, *rest = sys.argv[1:]
if not rest:
    json.dump({name: sha.hex() for name, sha in traffic.as_they_are(state).items()}, open(before, "w"))
    sys.exit()
for path in rest[1:]:
    if os.path.exists(path):
        traffic.heard(open(path, "rb").read())
then = {name: bytes.fromhex(sha) for name, sha in json.load(open(before)).items()}
hits, probes, size = traffic.search(state, then, open(rest[0], "rb").read())
print(f"# {probes} stretches of what was said, {size} bytes of files")
for hit in sorted(set(hits))[:20]:
    print("#", hit)
sys.exit(bool(hits) or not probes or not size)
