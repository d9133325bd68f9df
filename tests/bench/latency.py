#!/usr/bin/env python3
"""How long it takes from the end of an interaction until its alert can be read in the control API: through a whole gateway with the simulated model,
first alone, then while other clients keep it busy.

  VEDETTE_BUILD=build tests/bench/latency.py [INTERACTIONS [BUSY CLIENTS]]

The status is 1 when one in a hundred takes longer than a second."""
import os, sys
sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), d) for d in ("../gateway", "../api")]
import rig
from rig import *

N = int(sys.argv[1]) if len(sys.argv) > 1 else 300
CLIENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 4
LIST = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Security/alerts?api-version=2022-01-01"


def unix(path):
    c = http.client.HTTPConnection("localhost", timeout=20)
    c.sock = socket.socket(socket.AF_UNIX)
    c.sock.connect(path)
    return c


def measure(g, name):
    api = unix(os.path.join(g.state, "control.sock"))
    token = open(os.path.join(g.state, "admin.token")).read().strip()
    client, took = g.connect(), []
    for i in range(N):
        user = f"{name}-{i}"
        body = json.dumps({"messages": [{"role": "user", "content": "[[leak github-pat]]"}], "user_security_context": {"end_user_id": user}})
        g.send("POST", AZURE.format("gpt-4o"), body, {"content-type": "application/json", "api-key": "k"}, client)
        begin = time.perf_counter()
        while True:
            api.request("GET", LIST, headers={"Authorization": "Bearer " + token})
            if f'"endUserId":"{user}"'.encode() in api.getresponse().read():
                break
            assert time.perf_counter() - begin < 30, user
        took.append((time.perf_counter() - begin) * 1e3)
        time.sleep((i % 10) / 200)  # at another moment of the collector's round each time
    took.sort()
    print(f"{name:6} {N} alerts: p50 {took[N // 2]:.0f} ms, p99 {took[N * 99 // 100]:.0f} ms, worst {took[-1]:.0f} ms", flush=True)
    return took[N * 99 // 100]


def busy(g, stop, done):
    c = g.connect()
    while not stop.is_set():
        g.send("POST", AZURE.format("gpt-4o"), json.dumps({"messages": [{"role": "user", "content": f"Say ok {time.time()}."}]}),
               {"content-type": "application/json", "api-key": "other"}, c)
        done[0] += 1


g = Gateway()
alone = measure(g, "alone")
stop, done = threading.Event(), [0]
threads = [threading.Thread(target=busy, args=(g, stop, done)) for _ in range(CLIENTS)]
for t in threads:
    t.start()
begin = time.time()
loaded = measure(g, "busy")
stop.set()
for t in threads:
    t.join()
print(f"       beside {done[0] / (time.time() - begin):.0f} other requests/s of {CLIENTS} clients")
g.stop()
sys.exit(max(alone, loaded) > 1000)
