#!/usr/bin/env python3
"""The list of alerts in a browser with many alerts in the store: what each thing that a reader does costs the page's thread, and what stays in memory.

VEDETTE_SRC=$PWD VEDETTE_BUILD=$PWD/build tests/bench/portal_browser.py [ALERTS]

Fills a store as portal.py does, starts `vedette run`, and drives Chromium through tests/bench/portal_browser.mjs. Times of the page's thread are CPU as the browser counts it; "answer" is
a wall time and depends on what else the machine does. Not a test."""
import ast, os, sqlite3, sys, time

BENCH = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(BENCH, "../portal"))
from stand import *

ALERTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
KNOWN = {n.targets[0].id: ast.literal_eval(n.value) for n in ast.parse(open(os.path.join(BENCH, "portal.py")).read()).body if isinstance(n, ast.Assign) and n.targets[0].id in ("FILL", "TYPES")}

g = portal()
g.chat("hello")
g.stop()
db = sqlite3.connect(g.state + "/workspaces/weu/vedette.db")
db.execute(KNOWN["FILL"], {"alerts": ALERTS, "now": int(time.time() * 1e6), "zero": "00000000-0000-0000-0000-000000000000", "types": json.dumps(KNOWN["TYPES"])})
db.commit()
db.close()
g.start()
print(f"{ALERTS:,} alerts", flush=True)
done = subprocess.run([os.path.join(SRC, "tests/portal/node_modules/node/bin/node"), os.path.join(BENCH, "portal_browser.mjs")], stdin=subprocess.DEVNULL,
                      env={**os.environ, "CONTROL": f"http://127.0.0.1:{g.control}", "GATEWAY": f"http://127.0.0.1:{g.port}", "STATE": g.state, "PORTAL": os.path.join(BUILD, "portal")})
g.stop()
sys.exit(done.returncode)
