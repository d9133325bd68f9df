#!/usr/bin/env python3
"""What openapi.json says about answers of the control API: every program that talks to it holds what it gets against this.

Python programs do it while they run (tests/api/stand.py; `listen` for those that use http.client themselves). Others write each answer to a
file, a line of JSON with method, path, status, type and body, and then run:  described.py FILE"""
import http.client, json, os, re, sys, threading

try:
    import jsonschema
except ImportError:
    jsonschema = None

SRC = os.environ.get("VEDETTE_SRC") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What the control listener serves besides its API: the portal's files, and where its bare address leads.
OTHERS = re.compile(r"^/(portal(/.*)?|favicon\.ico)?$")


class Described:
    """What openapi.json says about an answer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.document = json.load(open(os.path.join(SRC, "src/api/openapi.json")))
        self.paths = [(re.compile("^" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(t)) + "$", re.I), t) for t in self.document["paths"]]
        self.validators = {}
        self.seen, self.problems, self.routes, self.fine = 0, [], set(), set()

    def validator(self, schema):
        key = json.dumps(schema)
        if key not in self.validators:
            whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": self.document["components"], **schema}
            self.validators[key] = jsonschema.Draft202012Validator(whole)
        return self.validators[key]

    def responses(self, method, path):
        for pattern, template in self.paths:
            operation = self.document["paths"][template].get(method.lower())
            if operation and pattern.match(path):
                self.routes.add((method, template))
                return operation["responses"]
        return None

    def check(self, method, path, status, kind, value):
        responses = self.responses(method, path.split("?")[0])
        error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
        answer = error if responses is None else responses.get(str(status), responses.get("default") if status >= 400 else None)
        self.seen += 1
        where = f"{method} {path[:160]} {status}"
        if answer is None:
            self.problems.append(f"{where}: this status is not described")
            return
        content = answer.get("content", {})
        if not content:
            if value:
                self.problems.append(f"{where}: has a body")
        elif kind.split(";")[0] not in content:
            self.problems.append(f"{where}: is {kind or 'no type'}")
        elif jsonschema and "json" in kind:
            for e in list(self.validator(content["application/json"]["schema"]).iter_errors(value))[:3]:
                self.problems.append(f"{where}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}")

    def take(self, method, path, status, kind, body):
        """An answer as it came, its body bytes. Who waits for something gets the same one many times: it is looked at once."""
        path = re.sub(r"^https?://[^/]+", "", path)
        same = (method, path.split("?")[0], status, kind, hash(body))
        if method == "HEAD" or OTHERS.match(path.split("?")[0]):
            return
        with self.lock:
            if same in self.fine:
                self.seen += 1
                return
            before = len(self.problems)
            try:
                self.check(method, path, status, kind or "", json.loads(body) if body and "json" in (kind or "") else body or None)
            except ValueError:
                self.problems.append(f"{method} {path[:160]} {status}: its body is no JSON: {body[:80]!r}")
            if len(self.problems) == before:
                self.fine.add(same)


def listen(described, ports):
    """From now on every answer that http.client reads from one of the ports (a function gives them) is held against the document."""
    put, get = http.client.HTTPConnection.putrequest, http.client.HTTPConnection.getresponse

    def putrequest(self, method, url, *args, **more):
        self.asked = (method, url)
        return put(self, method, url, *args, **more)

    def getresponse(self):
        response, asked = get(self), getattr(self, "asked", None)
        if asked and self.port in ports():
            read, got = response.read, []

            def remembered(amount=None):
                data = read() if amount is None else read(amount)
                got.append(data)
                if amount is None or response.isclosed():
                    described.take(*asked, response.status, response.getheader("Content-Type"), b"".join(got))
                    got.clear()
                    response.read = read
                return data

            response.read = remembered
        return response

    http.client.HTTPConnection.putrequest, http.client.HTTPConnection.getresponse = putrequest, getresponse


def main():
    described = Described()
    for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
        a = json.loads(line)
        described.take(a["method"], a["path"], a["status"], a["type"], (a["body"] or "").encode())
    print(f"# {described.seen} answers of the control API were held against openapi.json")
    for problem in described.problems[:20]:
        print(f"# not as openapi.json describes it: {problem}")
    sys.exit(bool(described.problems))


if __name__ == "__main__":
    main()
