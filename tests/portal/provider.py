"""An identity provider for tests: OpenID Connect's code flow over TLS, as strict as the standards, and as wrong as a test wants it to be in one point."""
import base64, hashlib, http.server, json, os, secrets, ssl, subprocess, threading, time, urllib.parse

b64 = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
CLIENT, SECRET = "vedette portal", "s3cret:of/the portal%"


class Provider:
    """folder: cert.pem and key.pem lie there; keys.json is written there. What is set in `wrong` is done wrong by the next answers."""

    def __init__(self, folder, redirect):
        self.folder, self.redirect = folder, redirect
        self.codes, self.seen, self.wrong = {}, [], {}
        self.keys = {kid: self.make_key(kid) for kid in ("k", "stranger")}
        x = self.openssl("pkey", "-in", self.keys["k"], "-pubout", "-outform", "DER")[-32:]
        with open(os.path.join(folder, "keys.json"), "w") as f:
            json.dump({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": b64(x)}]}, f)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def openssl(self, *args):
        return subprocess.run(["openssl", *args], capture_output=True, check=True, timeout=60).stdout

    def make_key(self, kid):
        path = os.path.join(self.folder, kid + ".id.key")
        self.openssl("genpkey", "-algorithm", "ED25519", "-out", path)
        return path

    def sign(self, claims):
        head = {"alg": "none" if "alg" in self.wrong else "EdDSA", "kid": self.wrong.get("kid", "k"), "typ": "JWT"}
        text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
        if "alg" in self.wrong:
            return text + "."
        path = os.path.join(self.folder, "signed." + secrets.token_hex(8))
        with open(path, "w") as f:
            f.write(text)
        token = text + "." + b64(self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.keys["stranger" if "key" in self.wrong else "k"], "-in", path))
        os.unlink(path)
        return token

    def authorize(self, q):
        """The browser's visit: who is at it is signed in already. Gives the address to go back to, or None: nothing that may be answered."""
        if q.get("client_id") != CLIENT or q.get("redirect_uri") != self.redirect:
            return None
        want = {"response_type": "code", "code_challenge_method": "S256"}
        ok = all(q.get(k) == v for k, v in want.items()) and len(q.get("code_challenge", "")) == 43 and len(q.get("state", "")) == 43 and len(q.get("nonce", "")) == 43 and "openid" in q.get("scope", "").split()
        back = {"state": self.wrong.get("state", q.get("state")), "iss": self.wrong.get("response_iss", self.issuer)}
        if self.wrong.get("response_iss") == "":
            del back["iss"]
        if not ok or "error" in self.wrong:
            back["error"] = self.wrong.get("error", "invalid_request")
            back["error_description"] = "<img src=x onerror=alert(1)> told by the provider"
        else:
            code = "c/" + secrets.token_urlsafe(24) + "+="
            self.codes[code] = q
            back["code"] = code
        return self.redirect + "?" + urllib.parse.urlencode(back)

    def token(self, form, authorization):
        """(status, body). A code is good as often as it is shown: that it is shown once is what the portal is tested for."""
        q = self.codes.get(form.get("code"), {})
        if "status" in self.wrong:
            return self.wrong["status"], {"error": "invalid_grant", "error_description": "never shown"}
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode() if authorization.startswith("Basic ") else ""
        name, _, secret = given.partition(":")
        if (urllib.parse.unquote(name), urllib.parse.unquote(secret)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if form.get("grant_type") != "authorization_code" or form.get("redirect_uri") != q.get("redirect_uri") or challenge != q.get("code_challenge"):
            return 400, {"error": "invalid_grant"}
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "u-1", "name": "Ada", "roles": ["desk"], "iat": int(time.time()), "exp": int(time.time()) + 300, "nonce": q["nonce"]}
        claims = {k: v for k, v in {**claims, **self.wrong.get("claims", {})}.items() if v is not None}
        return 200, {"access_token": "not-looked-at", "token_type": "Bearer", **({} if "no_id_token" in self.wrong else {"id_token": self.sign(claims)}), **({"pad": "x" * self.wrong["size"]} if "size" in self.wrong else {})}

    def handler(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def say(self, status, body=b"", **headers):
                self.send_response(status)
                for k, v in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
                    self.send_header(k, v)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                q = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
                provider.seen.append([url.path, q])
                if url.path == "/keys":
                    return self.say(200, open(os.path.join(provider.folder, "keys.json"), "rb").read())
                if url.path == "/seen":
                    return self.say(200, json.dumps(provider.seen).encode())
                if url.path == "/logout":
                    return self.say(200, b"<!doctype html><title>signed out</title><p>Signed out of the directory</p>", **{"Content-Type": "text/html"})
                back = provider.authorize(q) if url.path == "/authorize" else None
                self.say(302, Location=back) if back else self.say(400)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path == "/wrong":
                    provider.wrong = json.loads(body)
                    return self.say(200)
                form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
                provider.seen.append([self.path, form])
                time.sleep(provider.wrong.get("wait", 0))
                status, answer = provider.token(form, self.headers.get("Authorization", ""))
                self.say(status, provider.wrong["body"].encode() if "body" in provider.wrong else json.dumps(answer).encode())

            def log_message(self, *args):
                pass
        return Handler
