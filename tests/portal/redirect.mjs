// Signing in by redirect, as a person, and as somebody who wants to be another one. The provider is tests/portal/provider.py.
import assert from "node:assert";
import { request } from "node:http";
import { CONTROL, admin, api, at, browser, page, settled, signIn, test } from "./common.mjs";

const { PROVIDER, ADDRESS } = process.env;
const b = await browser();
const be = (wrong) => fetch(PROVIDER + "/wrong", { method: "POST", body: JSON.stringify(wrong) });
const fresh = () => page(b, { ignoreHTTPSErrors: true });
const cookies = async (p) => Object.fromEntries((await p.context().cookies(CONTROL)).map((c) => [c.name, c]));

async function goThere(p, fragment = "") {
  await p.goto(at(fragment));
  await p.click("button.way");
}

async function refused(p, words) {
  await p.waitForSelector("[role=alert]");
  assert.match(await p.innerText("[role=alert]"), words);
  assert.ok(!(await cookies(p)).vedette, "there is a session");
  assert.equal(await p.evaluate(() => location.search), "");
  await p.context().close();
}

// The same without a browser: what a page of ours asks, with its cookies, from an address of its own, as those that fail are made to wait.
let from = 2;
const elsewhere = () => { from += 1; };
const post = (path, body, cookie = "", more = {}) => new Promise((done, fail) => {
  const r = request(CONTROL + path, { method: "POST", localAddress: "127.0.0." + from, headers: { origin: CONTROL, cookie, ...more } }, async (answer) => {
    let text = "";
    for await (const part of answer) text += part;
    const json = JSON.parse(text);
    done({ status: answer.statusCode, body: json, code: json.error?.code, said: json.error?.message, set: answer.headers["set-cookie"] || [], retry: answer.headers["retry-after"] });
  });
  r.on("error", fail);
  r.end(JSON.stringify(body));
});
async function begin() {
  const answer = await post("/vedette/signIn", { issuer: PROVIDER });
  const back = await fetch(answer.body.location, { redirect: "manual" });
  return { cookie: answer.set[0].split(";")[0], given: Object.fromEntries(new URL(back.headers.get("location")).searchParams) };
}
const code = (given, cookie) => post("/vedette/signIn/code", given, cookie);

await test("the page offers the provider, and a person is signed in with it and sees the page that was asked for", async () => {
  const p = await fresh();
  await p.goto(at("alerts?status=any"));
  assert.match(await p.innerText("button.way"), /Sign in with the directory/);
  await p.click("button.way");
  await p.waitForSelector("header.top");
  await settled(p);
  assert.equal(p.url(), at("alerts?status=any"));
  assert.match(await p.innerText("header.top"), /Ada · operator/);
  const mine = await cookies(p);
  assert.ok(!mine["vedette-signin"], "the sign-in's cookie is gone");
  assert.deepEqual([mine.vedette.httpOnly, mine.vedette.sameSite, mine.vedette.path], [true, "Strict", "/"]);
  assert.ok(mine.vedette.expires > Date.now() / 1000 + 3600, "it lasts as any session, not as the ID token");
  assert.deepEqual(p.said.filter((t) => !/status of 401/.test(t)), []);
  await p.reload();
  await p.waitForSelector("header.top");
  await p.context().close();
});

await test("the provider was asked with PKCE, a state and a nonce, and the address that is registered", async () => {
  const seen = await (await fetch(PROVIDER + "/seen")).json();
  const [, q] = seen.find(([path]) => path === "/authorize");
  assert.deepEqual([q.response_type, q.code_challenge_method, q.redirect_uri, q.scope], ["code", "S256", ADDRESS, "openid profile"]);
  const [, form] = seen.find(([path]) => path === "/token");
  assert.ok(form.code_verifier.length === 43 && form.code_verifier !== q.code_challenge);
  assert.equal(new Set([q.state, q.nonce, q.code_challenge, form.code_verifier]).size, 4);
});

await test("the audit log says who signed in, and how", async () => {
  const lines = (await api("/vedette/audit")).value;
  assert.ok(lines.some((l) => l.who === "oidc:Ada" && l.what === "signed in" && l.detail === "by redirect"), JSON.stringify(lines.slice(0, 3)));
});

await test("signing out ends the session, and goes to the provider's own sign-out", async () => {
  const p = await fresh();
  await goThere(p);
  await p.waitForSelector("header.top");
  const { vedette } = await cookies(p);
  await p.click("text=Sign out");
  await p.waitForSelector("text=Signed out of the directory");
  const q = new URL(p.url()).searchParams;
  assert.deepEqual([q.get("from"), q.get("client_id"), q.get("post_logout_redirect_uri")], ["vedette", "vedette portal", ADDRESS]);
  assert.equal((await fetch(CONTROL + "/vedette/session", { headers: { cookie: "vedette=" + vedette.value } })).status, 401);
  await p.context().close();
});

// What the provider does wrong, and what a person sees then.
const shown = {
  "another state": [{ state: "A".repeat(43) }, /belongs to no sign-in/],
  "an error in place of a code": [{ error: "access_denied" }, /refused or cancelled there/],
  "an error whose words are its own": [{ error: "<script>alert(1)</script>" }, /did not sign you in/],
  "another issuer in the answer (RFC 9207)": [{ response_iss: "https://mixed.example" }, /does not say that it is of the identity provider/],
  "an ID token for another sign-in (nonce)": [{ claims: { nonce: "B".repeat(43) } }, /not believed/],
  "an ID token of somebody without a role": [{ claims: { roles: ["guest"] } }, /none of the roles/],
  "a failure of its own": [{ status: 500 }, /could not be asked/],
};
for (const [name, [wrong, words]] of Object.entries(shown)) {
  await test(`${name}: the page says why nobody is signed in`, async () => {
    await be(wrong);
    const p = await fresh();
    await goThere(p);
    await refused(p, words);
    assert.ok(p.said.every((t) => /status of (401|403|502)/.test(t)), JSON.stringify(p.said));
    await be({});
  });
}

// What the provider does wrong, and what the page says then.
const faults = {
  "another issuer in the answer (RFC 9207)": [{ response_iss: "https://mixed.example" }, /does not say that it is of the identity provider/],
  "no issuer in the answer, although it has to": [{ response_iss: "" }, /does not say that it is of the identity provider/],
  "an ID token for another sign-in (nonce)": [{ claims: { nonce: "B".repeat(43) } }, /not believed/],
  "an ID token without a nonce": [{ claims: { nonce: null } }, /not believed/],
  "an ID token of another issuer": [{ claims: { iss: "https://mixed.example" } }, /not believed/],
  "an ID token for another application": [{ claims: { aud: "other" } }, /not believed/],
  "an ID token for the API instead of the portal": [{ claims: { aud: "vedette-api" } }, /not believed/],
  "an ID token for several, made for another": [{ claims: { aud: ["vedette portal", "other"], azp: "other" } }, /not believed/],
  "an ID token for several, made for nobody": [{ claims: { aud: ["vedette portal", "other"] } }, /not believed/],
  "an ID token that is over": [{ claims: { exp: 1000000000 } }, /not believed/],
  "an ID token of the future": [{ claims: { iat: 4000000000 } }, /not believed/],
  "an ID token without a signature (alg none)": [{ alg: "none" }, /not believed/],
  "an ID token with somebody else's signature": [{ key: "stranger" }, /not believed/],
  "an ID token with a key that is not published": [{ kid: "unknown" }, /key that is not known/],
  "an ID token of somebody without a role": [{ claims: { roles: ["guest"] } }, /none of the roles/],
  "no ID token": [{ no_id_token: true }, /did not change its code/],
  "a refusal of the code": [{ status: 400 }, /did not change its code/],
  "a failure of its own": [{ status: 500 }, /could not be asked/],
  "an answer that is no JSON": [{ body: "<html>" }, /did not change its code/],
  "an answer of 70,000 bytes": [{ size: 70000 }, /could not be asked/],
};
for (const [name, [wrong, words]] of Object.entries(faults)) {
  await test(`${name}: nobody is signed in, and the answer says why`, async () => {
    elsewhere();
    await be(wrong);
    const { cookie, given } = await begin();
    const answer = await code(given, cookie);
    assert.ok(answer.status >= 400 && words.test(answer.said), JSON.stringify(answer));
    assert.ok(!answer.set.some((c) => c.startsWith("vedette=")), JSON.stringify(answer.set));
    await be({});
    const again = await begin();
    assert.equal((await code(again.given, again.cookie)).status, 200, "the next one that is right signs in");
  });
}

await test("others do not wait for a provider that is slow", async () => {
  elsewhere();
  const { cookie, given } = await begin();
  await be({ wait: 2 });
  let done = false;
  const slow = code(given, cookie).then((answer) => { done = true; return answer; });
  assert.equal((await api("/vedette/session")).name, "admin");
  assert.ok(!done, "the answer of the provider was there before");
  assert.equal((await slow).status, 200);
  await be({});
});

await test("an answer is good once, and in the browser that began only", async () => {
  elsewhere();
  const one = await begin(), other = await begin();
  assert.deepEqual([(await code(one.given, other.cookie)).code, (await code(one.given, "")).code], ["SignInForeign", "SignInForeign"]);
  const first = await code(one.given, one.cookie);
  assert.equal(first.status, 200, JSON.stringify(first));
  assert.ok(first.set.some((c) => /^vedette-signin=; .*Max-Age=0/.test(c)) && first.set.some((c) => /^vedette=[0-9a-f]{64}; /.test(c)));
  assert.equal((await code(one.given, one.cookie)).code, "SignInUsed");
  assert.equal((await code({ ...other.given, state: one.given.state }, other.cookie)).code, "SignInForeign");
  assert.equal((await code(other.given, other.cookie)).status, 200);
});

await test("a cookie that was made up, cut off or planted opens nothing", async () => {
  elsewhere();
  const { cookie, given } = await begin();
  const [name, value] = cookie.split("=");
  for (const bad of ["a".repeat(75), value.slice(0, 74), value + "0", value.slice(0, 64) + "1" + value.slice(65), value.slice(0, 65) + "ffffffffff", ""])
    assert.equal((await code(given, `${name}=${bad}`)).code, "SignInForeign", bad);
  assert.equal((await code(given, `${cookie}; ${name}=${"b".repeat(75)}`)).code, "SignInForeign", "twice");
});

elsewhere();
await test("an answer that somebody else began does not sign the visitor in as somebody else", async () => {
  const { given } = await begin();
  const p = await fresh();
  await p.goto(ADDRESS + "?" + new URLSearchParams(given));
  await refused(p, /belongs to no sign-in/);
});

await test("a session that was planted is not taken over, and one that was there ends", async () => {
  const p = await fresh();
  const planted = "a".repeat(64);
  await p.context().addCookies([{ name: "vedette", value: planted, url: CONTROL, httpOnly: true, sameSite: "Strict" }]);
  await goThere(p);
  await p.waitForSelector("header.top");
  const { vedette } = await cookies(p);
  assert.notEqual(vedette.value, planted);
  assert.equal((await fetch(CONTROL + "/vedette/session", { headers: { cookie: "vedette=" + planted } })).status, 401);
  const { cookie, given } = await begin();
  const again = await post("/vedette/signIn/code", given, `${cookie}; vedette=${vedette.value}`);
  assert.equal(again.status, 200);
  assert.equal((await fetch(CONTROL + "/vedette/session", { headers: { cookie: "vedette=" + vedette.value } })).status, 401);
  await p.context().close();
});

await test("nothing leads elsewhere: not the address, not a page that is kept, not a host that is claimed", async () => {
  const p = await fresh();
  for (const query of ["?state=x&error=access_denied&next=https://evil.example/", "?state=x&code=y&redirect_uri=https://evil.example/", "?state=x&code=y&iss=https://evil.example#/https://evil.example"]) {
    await p.goto(ADDRESS + query);
    await p.waitForSelector("[role=alert]");
    assert.equal(await p.evaluate(() => location.origin), CONTROL);
  }
  await p.evaluate(() => sessionStorage.setItem("vedette.after", "https://evil.example/"));
  await p.goto(ADDRESS + "?state=x&error=access_denied");
  await p.waitForSelector("[role=alert]");
  assert.equal(p.url(), ADDRESS + "#/");
  assert.deepEqual(p.elsewhere, []);
  const asked = await post("/vedette/signIn", { issuer: PROVIDER, redirect_uri: "https://evil.example/", redirectUrl: "https://evil.example/" });
  const there = new URL(asked.body.location);
  assert.deepEqual([there.origin, there.searchParams.get("redirect_uri"), there.searchParams.getAll("redirect_uri").length], [PROVIDER, ADDRESS, 1]);
  await p.context().close();
});

await test("other sites begin no sign-in and give no codes; another provider than the configured is not known", async () => {
  const evil = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  const { cookie, given } = await begin();
  assert.equal((await post("/vedette/signIn", { issuer: PROVIDER }, "", evil)).status, 403);
  assert.equal((await post("/vedette/signIn/code", given, cookie, evil)).status, 403);
  assert.equal((await post("/vedette/signIn", { issuer: "https://evil.example" })).status, 404);
  assert.equal((await post("/vedette/signIn", {})).status, 404);
  assert.equal((await post("/vedette/signIn", { issuer: 7 })).status, 400);
  assert.equal((await post("/vedette/signIn/code", { ...given, code: "x".repeat(4097) }, cookie)).status, 400);
});

await test("at another name of the portal the page says where to sign in, and the API begins nothing there", async () => {
  const p = await fresh();
  const there = CONTROL.replace("127.0.0.1", "localhost");
  await p.goto(there + "/portal/");
  await p.waitForSelector(`a[href="${ADDRESS}"]`);
  assert.equal(await p.locator("button.way").count(), 0);
  assert.equal((await post("/vedette/signIn", { issuer: PROVIDER }, "", { origin: there, host: new URL(there).host })).status, 409);
  const status = await p.evaluate((issuer) => fetch("/vedette/signIn", { method: "POST", body: JSON.stringify({ issuer }) }).then((r) => r.status), PROVIDER);
  assert.equal(status, 409);
  await p.context().close();
});

await test("a token signs in as before", async () => {
  const p = await fresh();
  await signIn(p, admin);
  await p.context().close();
});

await test("who fails again and again from one address waits", async () => {
  let last;
  for (let i = 0; i < 14 && last?.status !== 429; i++) last = await post("/vedette/signIn/code", { code: "x", state: "y".repeat(43) }, "vedette-signin=" + "a".repeat(75));
  assert.equal(last.status, 429);
  assert.ok(+last.retry >= 1);
});

await b.close();
