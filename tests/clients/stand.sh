# Sourced by the tests here: installs the clients, starts a simulated model and vedette on free ports with a private state, stops both.
# Gives GATEWAY and CONTROL (addresses), ECHO (what the model received), STATE, NODE, and `stand_run FILE`.

skip_all() {
  echo "1..0 # SKIP $*"
  exit 0
}

here=${VEDETTE_SRC:?}/tests/clients
vedette=${VEDETTE_BUILD:?}/src/cli/vedette
STATE=$(mktemp -d "${TMPDIR:-/tmp}/vedette-clients.XXXXXX")
ECHO=$STATE/echo.jsonl
pids=
TLS=

stand_stop() {
  for pid in $pids; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in $pids; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$STATE"
}
trap stand_stop EXIT
trap 'exit 1' INT TERM

# The packages are installed once for a package-lock.json, by one of the programs that run side by side; a failed install is a failed test, not a skipped one.
mkdir -p "$here/node_modules"
(
  flock 9
  cmp -s "$here/package-lock.json" "$here/node_modules/.installed" && exit 0
  (cd "$here" && npm ci --no-progress) >"$STATE/npm.log" 2>&1 && cp "$here/package-lock.json" "$here/node_modules/.installed"
) 9>"${VEDETTE_BUILD:?}/clients.lock" || {
  sed 's/^/# /' "$STATE/npm.log" | tail -20
  echo "Bail out! npm could not install the clients"
  exit 1
}
NODE=$here/node_modules/node/bin/node
[ -x "$NODE" ] || { echo "Bail out! the package node brought no runtime"; exit 1; }

# free_ports N: below those that Linux gives to outgoing connections, which could take them before they are used
free_ports() {
  "$NODE" -e 'const net = require("net");
    const is_free = (port) => new Promise((ok) => net.createServer().once("error", () => ok(false)).listen(port, "127.0.0.1", function () { this.close(() => ok(true)); }));
    (async () => {
      const ports = new Set();
      while (ports.size < +process.argv[1]) {
        const port = 10000 + Math.floor(Math.random() * 22768);
        if (await is_free(port)) ports.add(port);
      }
      console.log([...ports].join(" "));
    })();' "$1"
}

# answers ADDRESS: something listens there
answers() {
  "$NODE" -e 'const [h, p] = process.argv[1].split(":"); require("net").connect(+p, h).on("connect", () => process.exit(0)).on("error", () => process.exit(1))' "$1"
}

# await SECONDS ADDRESS LOG PID
await_address() {
  tries=$(($1 * 10))
  until answers "$2"; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ] || ! kill -0 "$4" 2>/dev/null; then
      sed 's/^/# /' "$3" | tail -40
      echo "Bail out! nothing listens on $2"
      exit 1
    fi
    sleep 0.1
  done
}

stand_model() {
  "$vedette" model-sim --listen "127.0.0.1:$1" --echo-requests "$ECHO" >"$STATE/model.log" 2>&1 &
  pids="$pids $!"
  await_address 10 "127.0.0.1:$1" "$STATE/model.log" $!
  MODEL=127.0.0.1:$1
}

# stand_vedette CONFIG GATEWAY CONTROL
stand_vedette() {
  "$vedette" run "$1" --state "$STATE/state" >"$STATE/vedette.log" 2>&1 &
  pids="$! $pids"
  await_address 30 "$2" "$STATE/vedette.log" $!
  await_address 30 "$3" "$STATE/vedette.log" $!
  GATEWAY=$2 CONTROL=$3
  python3 "$here/check_state.py" "$STATE/state" "$STATE/before"
}

# stand_tls: a certificate for localhost in $TLS, and an authority that node trusts
stand_tls() {
  TLS=$STATE/tls
  mkdir "$TLS"
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=vedette test authority" -keyout "$TLS/ca.key" -out "$TLS/ca.pem"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" -keyout "$TLS/server.key" -out "$TLS/server.csr"
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$TLS/names"
    openssl x509 -req -in "$TLS/server.csr" -CA "$TLS/ca.pem" -CAkey "$TLS/ca.key" -CAcreateserial -days 2 -extfile "$TLS/names" -out "$TLS/server.pem"
  } >"$TLS/log" 2>&1 || { sed 's/^/# /' "$TLS/log"; echo "Bail out! openssl made no certificate"; exit 1; }
  export NODE_EXTRA_CA_CERTS="$TLS/ca.pem"
}

# stand_policies GATEWAY-PORT CONTROL-PORT MODEL-PORT: a deployment on the model for each thing that can happen to an answer
stand_policies() {
  stand_model "$3"
  cat >"$STATE/vedette.yaml" <<YAML
listen:
  gateway: "127.0.0.1:$1"
  control: "127.0.0.1:$2"
${TLS:+  gateway_tls: {certificate: "$TLS/server.pem", key: "$TLS/server.key"\}}
workspaces: [{name: weu, prompt_evidence: on}]
deployments:
  - {name: gpt-4o, workspace: weu, upstream: "http://$MODEL"}
  - {name: detecting, workspace: weu, upstream: "http://$MODEL", policy: detecting}
  - {name: cutting, workspace: weu, upstream: "http://$MODEL", policy: cutting}
  - {name: blocking, workspace: weu, upstream: "http://$MODEL", policy: blocking}
  - {name: masking, workspace: weu, upstream: "http://$MODEL", policy: masking}
  - {name: naming, workspace: weu, upstream: "http://$MODEL", policy: naming}
  - {name: naming-for-tools, workspace: weu, upstream: "http://$MODEL", policy: naming-for-tools}
  - {name: naming-answers, workspace: weu, upstream: "http://$MODEL", policy: naming-answers}
  - {name: annotating, workspace: weu, upstream: "http://$MODEL", policy: annotating}
  - {name: closed, workspace: weu, upstream: "http://$MODEL", policy: closed}
policies:
  - {name: standard}
  - name: detecting
    jailbreak: {action: detect}
    credential: {response: detect}
  - name: cutting
    credential: {response: cut}
  - name: blocking
    credential: {response: block}
  - name: masking
    credential: {prompt: redact, mask: partial, minimum_confidence: 65}
  - name: naming
    credential: {prompt: redact, mask: pseudonym}
    sensitive: {prompt: redact, response: redact, mask: pseudonym, minimum_confidence: 65}
  - name: naming-for-tools
    credential: {prompt: redact, mask: pseudonym, restore: tool-calls}
  - name: naming-answers
    credential: {mask: pseudonym}
  - {name: annotating, annotate: true}
  - {name: closed, on_failure: closed}
YAML
  stand_vedette "$STATE/vedette.yaml" "127.0.0.1:$1" "127.0.0.1:$2"
}

# Node's own TAP; the exit status is that of the tests, and says too whether a text that clients and model said is in the state folder afterwards, and whether
# the answers of the control API that they saw are as openapi.json describes them.
stand_run() {
  export GATEWAY CONTROL MODEL ECHO STATE
  export VEDETTE_TRAFFIC="$STATE/traffic" ANSWERS="$STATE/answers.jsonl"
  status=0
  : >"$ANSWERS"
  "$NODE" --require "$here/capture.cjs" --import "$here/record.mjs" --test-reporter=tap "$here/$1" || status=$?
  "$VEDETTE_SRC/tests/api/described.py" "$ANSWERS" || status=1
  if [ -s "$VEDETTE_TRAFFIC" ] && ! python3 "$here/check_state.py" "$STATE/state" "$STATE/before" "$STATE/vedette.yaml" "$VEDETTE_TRAFFIC" "$ECHO"; then
    echo "not ok 0 - no file of the state folder has a stretch of what clients and model said"
    status=1
  fi
  if [ "$status" != 0 ]; then sed 's/^/# /' "$STATE/vedette.log" | tail -20; fi
  return "$status"
}
