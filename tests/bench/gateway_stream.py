"""Time to the first event of a stream, through the gateway and without it, one after the other on the same upstream."""
import os, statistics, sys
os.environ["VEDETTE_BUILD"] = sys.argv[1]
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "gateway"))
from rig import *

ROUNDS = 300


def stream(request, sock):
    begin_stream(sock)
    send_chunk(sock, chunk("first words of an answer "))
    send_chunk(sock, chunk(None, "stop") + b"data: [DONE]\n\n")
    end_stream(sock)


up = Upstream(stream)
g = Gateway({"gpt-4o": f'upstream: "{up.url}"'})
body = json.dumps({"stream": True, "messages": [{"role": "user", "content": "Tell me about the weather in Finland. " * 50}]})


def first_event(connection):
    begin = time.perf_counter()
    connection.request("POST", AZURE.format("gpt-4o"), body, {"content-type": "application/json"})
    r = connection.getresponse()
    r.read1(100)
    took = time.perf_counter() - begin
    r.read()
    return took * 1e6


direct, through = http.client.HTTPConnection("127.0.0.1", up.port), g.connect()
times = {"direct": [], "vedette": []}
for i in range(ROUNDS):
    times["direct"].append(first_event(direct))
    times["vedette"].append(first_event(through))
for name, t in times.items():
    t.sort()
    print(f"first event {name:8} p50 {statistics.median(t):7.0f} us   p99 {t[int(len(t) * 0.99)]:7.0f} us")
print(f"first event added    p50 {statistics.median(times['vedette']) - statistics.median(times['direct']):7.0f} us")
g.stop()
