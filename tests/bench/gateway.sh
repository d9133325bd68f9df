#!/bin/sh
# Requests per second and latency of the gateway with all detectors on, against plain nginx proxying the same upstream in the same run;
# then the time to the first event of a stream. Usage: tests/bench/gateway.sh [--prompts FILE] [BUILD-DIR]; SECONDS_EACH=8 is the length of one run.
# Prompts of about 2 KB, never the same twice: ordinary ones (or those of FILE, JSON Lines with a member "text"), and one that the model's gate lets go whole.
set -eu
src=$(cd "$(dirname "$0")/../.." && pwd)
prompts=ordinary
if [ "${1:-}" = --prompts ]; then
  prompts=$2
  shift 2
fi
build=$(cd "${1:-$src/build}" && pwd)
each=${SECONDS_EACH:-8}
command -v wrk >/dev/null || { echo "gateway.sh: install the package wrk" >&2; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/vedette-bench.XXXXXX")
chmod 755 "$dir"
mkdir -p "$dir/tmp"
pids=
stop() {
  for pid in $pids; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in $pids; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' INT TERM

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
plain=$(port) gateway=$(port) control=$(port)

cat >"$dir/nginx.conf" <<CONF
daemon off;
worker_processes 2;
pid $dir/nginx.pid;
error_log $dir/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp; uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
  client_body_buffer_size 1m; keepalive_requests 10000000;
  upstream up { server unix:$dir/up.sock; keepalive 64; keepalive_requests 10000000; }
  server {
    listen unix:$dir/up.sock;
    default_type application/json;
    location / { return 200 '{"id":"chatcmpl-1","object":"chat.completion","created":1764000000,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"The capital of Finland is Helsinki. It lies on the coast of the Gulf of Finland and has about 680,000 inhabitants.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":412,"completion_tokens":27,"total_tokens":439}}'; }
  }
  server {
    listen 127.0.0.1:$plain;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
CONF
cat >"$dir/vedette.yaml" <<CONF
listen: {gateway: 127.0.0.1:$gateway, control: 127.0.0.1:$control}
workspaces: [{name: weu, prompt_evidence: on}]
deployments: [{name: gpt-4o, workspace: weu, upstream: "unix:$dir/up.sock"}]
CONF

/usr/sbin/nginx -e "$dir/error.log" -c "$dir/nginx.conf" &
pids=$!
"$build/src/cli/vedette" run --config "$dir/vedette.yaml" --state "$dir/state" --workers 2 >"$dir/run.log" 2>&1 &
pids="$! $pids"
tries=200
until grep -q 'Ctrl-C stops' "$dir/run.log"; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { cat "$dir/run.log" >&2; exit 1; }
  sleep 0.1
done
chmod 666 "$dir/up.sock"

python3 "$src/tests/bench/gateway_prompts.py" "$prompts" >"$dir/ordinary"
python3 "$src/tests/bench/gateway_prompts.py" let-go >"$dir/let-go"
# Each thread begins elsewhere in the file and puts its own number into each body.
cat >"$dir/post.lua" <<'LUA'
local threads, id, n, bodies = 0, 0, 0, {}
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function init(args)
  for line in io.lines(args[1]) do
    local head, tail = line:match("^(.*)NUMBER(.*)$")
    bodies[#bodies + 1] = {head, tail}
  end
  n = id * math.floor(#bodies / 2)
end
wrk.method = "POST"
function request()
  n = n + 1
  local b = bodies[n % #bodies + 1]
  return wrk.format(nil, nil, nil, b[1] .. id .. "-" .. n .. b[2])
end
wrk.headers["content-type"] = "application/json"; wrk.headers["api-key"] = "bench"
done = function(s, l, r)
  io.write(string.format("%10.0f req/s   p50 %7.0f us   p99 %7.0f us   errors %d\n", s.requests / s.duration * 1e6, l:percentile(50), l:percentile(99),
    s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout))
end
LUA
path='/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21'

# run LABEL PORT CONNECTIONS BODIES
run() {
  printf '%-10s %-8s %3d connections ' "$1" "$4" "$3"
  wrk -t$(($3 > 1 ? 2 : 1)) -c"$3" -d"${each}s" -s "$dir/post.lua" "http://127.0.0.1:$2$path" -- "$dir/$4" | grep req/s
}
for n in 1 32; do
  run nginx "$plain" "$n" ordinary
  run vedette "$gateway" "$n" ordinary
  run vedette "$gateway" "$n" let-go
done
python3 "$src/tests/bench/gateway_stream.py" "$build" 2>"$dir/stream.err" || cat "$dir/stream.err" >&2
for p in $(pgrep -P "$(cat "$dir/state/run/nginx.pid")"); do awk -v p="$p" '/VmRSS|VmHWM/ {printf "worker %s %s %s kB\n", p, $1, $2}' "/proc/$p/status"; done
