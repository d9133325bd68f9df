// What pages of somebody else's can make the browser of a person who is signed in do: nothing. Another site, another port of the same address, a name that
// is bent to our address, a frame around us, an id that was planted.
import assert from "node:assert";
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { CONTROL, admin, alerts, api, at, page, signIn, test } from "./common.mjs";

const ours = new URL(CONTROL);
const evil = createServer((request, answer) => {
  answer.writeHead(200, { "content-type": "text/html" });
  answer.end("<!doctype html><title>evil</title><body></body>");
});
await new Promise((done) => evil.listen(0, "127.0.0.1", done));
const port = evil.address().port;
const SITES = { "another site": `http://evil.example:${port}/`, "another port of the same address": `http://127.0.0.1:${port}/` };
const b = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--host-resolver-rules=MAP evil.example 127.0.0.1", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
const [alert] = await alerts();
const state = async () => (await api(`${alert.id}?api-version=2022-01-01&vedette-evidence=false`)).properties.status;
const before = await state();
const change = `${CONTROL}${alert.id}/${before === "Active" ? "resolve" : "activate"}?api-version=2022-01-01`;

// A person who is signed in, and goes to a page of somebody else's in the same browser.
const victim = async (site) => {
  const p = await page(b);
  await signIn(p);
  await p.goto(site);
  p.sent = [];
  p.on("request", (r) => r.url().startsWith(CONTROL) && p.sent.push(r.method()));
  return p;
};
const sessions = async (p) => (await p.context().cookies(CONTROL)).filter((c) => c.name === "vedette");

await test("the cookie is HttpOnly, SameSite=Strict, of no domain, and no script sees it", async () => {
  const p = await page(b);
  await signIn(p);
  const [cookie, ...more] = await sessions(p);
  assert.deepEqual([more.length, cookie.httpOnly, cookie.sameSite, cookie.path, cookie.domain], [0, true, "Strict", "/", ours.hostname]);
  assert.ok(cookie.expires > Date.now() / 1000 && cookie.expires < Date.now() / 1000 + 8 * 3600 + 60);
  assert.ok(!(await p.evaluate(() => document.cookie)).includes("vedette"));
  const kept = await p.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.ok(!kept.includes(admin) && !kept.includes(cookie.value), "a token or session is where scripts can read it");
  await p.context().close();
});

for (const [name, site] of Object.entries(SITES)) {
  await test(`${name}: nothing can be read`, async () => {
    const p = await victim(site);
    for (const path of ["/vedette/session", `${alert.id}?api-version=2022-01-01`, "/vedette/audit", "/healthz"])
      for (const credentials of ["include", "omit"])
        assert.equal(await p.evaluate(([url, c]) => fetch(url, { credentials: c }).then((r) => r.text(), () => "refused"), [CONTROL + path, credentials]), "refused", path);
    assert.equal(await p.evaluate((url) => fetch(url, { headers: { authorization: "Bearer x" } }).then((r) => r.text(), () => "refused"), CONTROL + "/vedette/session"), "refused");
    await p.context().close();
  });

  await test(`${name}: nothing can be changed, by a script or a form`, async () => {
    const p = await victim(site);
    for (const more of [{}, { body: "{}" }, { body: JSON.stringify({ comment: "x" }), headers: { "content-type": "text/plain" } }])
      await p.evaluate(([url, m]) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", ...m }).catch(() => {}), [change, more]);
    await p.evaluate(([url, t]) => fetch(url, { method: "POST", credentials: "include", headers: { "x-vedette-csrf": t } }).catch(() => {}), [change, "0".repeat(64)]);
    await p.evaluate((url) => navigator.sendBeacon(url, "{}"), change);
    const [answer] = await Promise.all([
      p.waitForResponse((r) => r.url() === change && r.request().isNavigationRequest()),
      p.evaluate((url) => {
        const form = document.body.appendChild(document.createElement("form"));
        Object.assign(form, { method: "post", action: url, enctype: "text/plain" });
        form.submit();
      }, change),
    ]);
    assert.ok(answer.status() === 401 || answer.status() === 403, String(answer.status()));
    assert.ok(p.sent.filter((method) => method === "POST").length >= 4, "the browser sent them: " + p.sent);
    assert.equal(await state(), before);
    await p.context().close();
  });

  await test(`${name}: nobody is signed in as somebody else`, async () => {
    const p = await page(b);
    await p.goto(site);
    await p.evaluate(([url, body]) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {}), [CONTROL + "/vedette/session", JSON.stringify({ token: admin })]);
    assert.deepEqual(await sessions(p), []);
    await p.context().close();
  });

  await test(`${name}: no frame shows us`, async () => {
    const p = await victim(site);
    const framed = async (url) => {
      await p.evaluate((u) => new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.onload = done;
        frame.src = u;
        document.body.replaceChildren(frame);
      }), url);
      const frame = await (await p.$("iframe")).contentFrame();
      while (frame.url() === "" || frame.url() === "about:blank") await new Promise((done) => setTimeout(done, 20));
      return frame.url();
    };
    for (const path of ["/portal/", "/vedette/session", "/openapi.json", "/nothing"]) assert.match(await framed(CONTROL + path), /^chrome-error:/, path);
    assert.equal(await framed(site), site, "what may be framed is");
    await p.context().close();
  });
}

await test("a name that is bent to our address gets no answer from the API, and no session", async () => {
  const p = await page(b);
  await signIn(p);
  await p.goto(`http://evil.example:${ours.port}/portal/`);
  const ask = (path, more) => p.evaluate(([url, m]) => fetch(url, m).then((r) => r.status), [path, more]);
  assert.deepEqual([await ask("/healthz"), await ask("/vedette/session"), await ask("/openapi.json"), await ask(`${alert.id}?api-version=2022-01-01`)], [421, 421, 421, 421]);
  assert.equal(await ask("/vedette/session", { method: "POST", body: JSON.stringify({ token: admin }) }), 421);
  assert.equal(await ask("/vedette/session", { headers: { authorization: "Bearer " + admin } }), 421);
  assert.deepEqual((await p.context().cookies()).filter((c) => c.domain.includes("evil")), []);
  await p.context().close();
});

await test("an id that was planted is not taken over, and opens nothing after the sign-in", async () => {
  const p = await page(b);
  const planted = "a".repeat(64);
  await p.context().addCookies([{ name: "vedette", value: planted, url: CONTROL, httpOnly: true, sameSite: "Strict" }]);
  await signIn(p);
  const [cookie] = await sessions(p);
  assert.ok(cookie && cookie.value !== planted);
  const answer = await fetch(CONTROL + "/vedette/session", { headers: { cookie: "vedette=" + planted } });
  assert.equal(answer.status, 401);
  const mine = await fetch(CONTROL + "/vedette/session", { headers: { cookie: "vedette=" + cookie.value } });
  assert.equal(mine.status, 200);
  await p.context().close();
});

await test("our own page still may: the same change, made in the portal's origin, is made", async () => {
  const p = await page(b);
  await signIn(p);
  const status = await p.evaluate(async (url) => {
    const { csrfToken } = await (await fetch("/vedette/session")).json();
    return (await fetch(url, { method: "POST", headers: { "x-vedette-csrf": csrfToken } })).status;
  }, change);
  assert.equal(status, 204);
  assert.notEqual(await state(), before);
  await p.goto(at());
  await p.context().close();
});

await b.close();
evil.close();
