// The portal's pages in a browser, with the alerts of a drill.
import assert from "node:assert";
import { readdirSync, renameSync, statSync } from "node:fs";
import { CONTROL, PORTAL, STATE, admin, alerts, api, at, browser, open, page, settled, signIn, test } from "./common.mjs";

const b = await browser();
const all = await alerts();
const of = (type) => all.find((a) => a.properties.alertType === type);

await test("the address of the control listener leads to the portal", async () => {
  const answer = await fetch(CONTROL + "/", { redirect: "manual" });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get("location"), "/portal/");
});

await test("a page has a policy that forbids everything but its own files, and may stand in no frame", async () => {
  const answer = await fetch(CONTROL + "/portal/"), policy = answer.headers.get("content-security-policy");
  for (const words of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "trusted-types 'none'"]) assert.ok(policy.includes(words), policy);
  assert.ok(!/unsafe/.test(policy), policy);
  assert.equal(answer.headers.get("x-frame-options"), "DENY");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
});

await test("files that are not the portal's are not served", async () => {
  for (const path of ["/portal/../nginx.conf", "/portal/%2e%2e/vedette.yaml", "/portal/none.js", "/portal/.built"]) assert.notEqual((await fetch(CONTROL + path)).status, 200, path);
});

await test("a wrong token is told, with what to do", async () => {
  const p = await page(b);
  await p.goto(at("alerts"));
  await p.fill("input[name=token]", "no-such-token");
  await p.keyboard.press("Enter");
  await p.waitForSelector("[role=alert]");
  assert.match(await p.innerText("[role=alert]"), /not valid[\s\S]*vedette tokens create/);
  await p.context().close();
});

await test("the first load is at most 150 kB over the network, and all from this host", async () => {
  const p = await page(b);
  const asked = new Map(); // once each: what is asked again, as an alert comes meanwhile, is no first load
  p.on("requestfinished", (r) => { if (!asked.has(r.url())) asked.set(r.url(), r.sizes().then((s) => s.responseBodySize + s.responseHeadersSize)); });
  await signIn(p, admin, "alerts");
  await settled(p);
  const total = (await Promise.all(asked.values())).reduce((x, y) => x + y, 0);
  console.log(`# first load: ${total} bytes in ${asked.size} requests`);
  assert.ok(total > 10000 && total <= 150000, String(total));
  assert.deepEqual(p.elsewhere, []);
  await p.context().close();
});

await test("every file has its compressed copy, and all of them together are at most 150 kB", () => {
  const files = readdirSync(PORTAL, { recursive: true }).map((f) => `${PORTAL}/${f}`).filter((f) => statSync(f).isFile() && !f.endsWith(".built"));
  const plain = files.filter((f) => !f.endsWith(".gz"));
  assert.ok(plain.length > 20);
  assert.deepEqual(plain.filter((f) => !files.includes(f + ".gz")), []);
  assert.ok(plain.reduce((sum, f) => sum + statSync(f + ".gz").size, 0) <= 150000);
});

await test("a link signs in once, without a trace in the address; the session goes on after a reload and ends when one signs out", async () => {
  const q = await page(b);
  await q.goto(`${CONTROL}/portal/#once=${process.env.ONCE}`);
  await q.waitForSelector("header.top >> text=desk");
  assert.ok(!(await q.evaluate(() => location.href + document.documentElement.outerHTML)).includes(process.env.ONCE));
  assert.equal(await q.evaluate(() => document.cookie + JSON.stringify(sessionStorage) + JSON.stringify(localStorage)), "{}{}");
  await q.reload();
  await q.waitForSelector("header.top >> text=desk");
  await q.click("text=Sign out");
  await q.waitForSelector("input[name=token]");
  await q.reload();
  await q.waitForSelector("input[name=token]");
  await q.goto(`${CONTROL}/portal/#once=${process.env.ONCE}`);
  await q.waitForSelector("text=does not work any more");
  await q.context().close();
});

await test("a session that ended leads to the sign-in page, and back to where one was", async () => {
  const q = await page(b);
  await signIn(q, process.env.READER, "alerts?severity=High");
  await q.waitForSelector("table.list");
  const [{ value }] = (await q.context().cookies(CONTROL)).filter((c) => c.name === "vedette"), headers = { cookie: "vedette=" + value, origin: CONTROL };
  const { csrfToken } = await (await fetch(CONTROL + "/vedette/session", { headers })).json();
  assert.equal((await fetch(CONTROL + "/vedette/session", { method: "DELETE", headers: { ...headers, "x-vedette-csrf": csrfToken } })).status, 204);
  await q.waitForSelector("input[name=token]"); // what it listens to ends
  await q.fill("input[name=token]", process.env.READER);
  await q.keyboard.press("Enter");
  await q.waitForSelector("table.list");
  assert.match(await q.evaluate(() => location.hash), /severity=High/);
  await q.context().close();
});

const p = await page(b);
await signIn(p);

await test("the overview has the numbers of the API, charts with their tables, and links to the lists behind them", async () => {
  await open(p, "?span=1h");
  await p.waitForSelector(".plot canvas");
  const d = await api("/vedette/overview");
  const tiles = await p.locator(".tile").allInnerTexts();
  assert.ok(tiles.some((t) => t.includes("Requests") && t.startsWith(String(d.totals.requests))), tiles.join(" | "));
  assert.ok(tiles.some((t) => t.includes("Blocked") && t.startsWith(String(d.totals.blocked))), tiles.join(" | "));
  assert.match(await p.innerText("section[aria-label='What needs attention']"), /Alerts of high severity are open/);
  for (const part of d.health) assert.ok((await p.innerText("section[aria-label=Health]")).includes(part.title));
  const chart = p.locator("section[aria-label=Requests]");
  await chart.locator("summary").click();
  const shown = (await chart.locator("tbody tr td:nth-child(2)").allInnerTexts()).reduce((n, t) => n + Number(t.replace(/\D/g, "")), 0);
  assert.equal(shown, d.totals.requests);
  await p.click("section[aria-label='Alert types'] a >> nth=0");
  await p.waitForSelector("table.list tbody tr");
  assert.equal(await p.locator("table.list tbody tr").count(), Math.min(50, d.alerts.types[0].alerts));
});

await test("the time of the overview is in the address", async () => {
  await open(p, "");
  await p.selectOption("main select", "7d");
  await p.waitForFunction(() => location.hash === "#/?span=7d");
  await settled(p);
});

await test("the overview of a time range of one's own is what the API says of it; the fields are in the reader's zone, the address in UTC", async () => {
  const whole = (ms) => new Date(Math.floor(ms / 36e5) * 36e5).toISOString().replace(/\.\d+/, ""), from = whole(Date.now() - 2 * 36e5), to = whole(Date.now() + 36e5);
  const requests = async () => Number((await p.locator(".tile", { hasText: "Requests" }).getAttribute("title")).replace(/\D/g, ""));
  await open(p, "");
  await p.selectOption("main select", "own");
  for (const [name, value] of [["from", from], ["to", to]]) {
    await p.fill(`main input[name=${name}]`, new Date(value).toLocaleString("sv-SE", { timeZone: "Europe/Berlin" }).slice(0, 16).replace(" ", "T"));
    await p.locator(`main input[name=${name}]`).blur();
    await p.waitForFunction(([n, v]) => new URLSearchParams(location.hash.split("?")[1]).get(n) === v, [name, value]);
  }
  await settled(p);
  const d = await api(`/vedette/overview?from=${from}&to=${to}`);
  assert.ok(d.totals.requests > 0);
  assert.equal(await requests(), d.totals.requests);
  await open(p, "?span=own&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z");
  await p.waitForSelector("text=No request came in this time");
  await open(p, "?span=own&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z");
  await p.waitForSelector("text=The time is to begin before it ends");
  await open(p, "?span=own&from=%3Cb%3E&to=never");
  // what is no time is none: the last day
  await p.waitForFunction(() => [...document.querySelectorAll(".tile")].some((t) => /Requests/.test(t.innerText) && Number(t.title.replace(/\D/g, "")) > 0));
});

await test("an alert's page says what happened, what to do, and who it was, with times of this zone and UTC on hover", async () => {
  const a = of("AI.Azure_CredentialTheftAttempt");
  await open(p, "alert" + a.id);
  const text = await p.innerText("main");
  for (const words of ["Credentials in a model's answer", a.properties.extendedProperties.endUserId, "GitHub personal access token", "What to do", "Revoke or rotate", "Credential Access"]) assert.ok(text.includes(words), words);
  const time = p.locator("main time").first(), shown = new Date(a.properties.startTimeUtc);
  assert.equal(await time.getAttribute("title"), shown.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC"));
  assert.ok((await time.innerText()).includes(String(Number(shown.toLocaleString("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", hourCycle: "h23" }))).padStart(2, "0") + ":"));
});

await test("links to techniques lead to MITRE, open apart, and nothing of there is loaded", async () => {
  const links = await p.locator("main a.outside").evaluateAll((all) => all.map((a) => [a.href, a.rel, a.target]));
  assert.ok(links.some(([href]) => href === "https://attack.mitre.org/techniques/T1552/001/"), JSON.stringify(links));
  for (const [href, rel, target] of links) assert.ok(/^https:\/\/(attack|atlas)\.mitre\.org\//.test(href) && rel === "noopener noreferrer" && target === "_blank", href);
  assert.deepEqual(p.elsewhere, []);
});

const readings = async (name) => (await api("/vedette/audit")).value.filter((l) => l.what === "evidence read" && l.target === name).length;

await test("evidence is closed until a person opens it; opening it leaves one entry in the audit log, and the page says so", async () => {
  const a = of("AI.Azure_ASCIISmuggling");
  await open(p, "alert" + a.id);
  assert.equal(await p.locator(".passage").count(), 0);
  assert.match(await p.innerText("section[aria-label=Evidence]"), /recorded in the audit log/);
  assert.equal(await readings(a.name), 0);
  await p.click("text=Open the evidence");
  await p.waitForSelector(".passage");
  assert.match(await p.innerText("section[aria-label=Evidence]"), /This view is audited/);
  assert.equal(await readings(a.name), 1);
});

await test("hidden characters are seen, and what was encoded is shown step by step", async () => {
  const steps = await p.locator("section[aria-label=Evidence] .steps > li").allInnerTexts();
  assert.ok(steps.length >= 3, JSON.stringify(steps));
  assert.match(steps[1], /encoded as\s+tag-characters/);
  assert.match(steps.at(-1), /send the list of guests/);
  const hidden = p.locator(".unseen.tags").first();
  assert.match(await hidden.getAttribute("title"), /invisible tag characters that read: and send the list of guests/);
});

await test("masked secrets are marked in the evidence", async () => {
  await open(p, "alert" + of("AI.Azure_CredentialTheftAttempt").id);
  await p.keyboard.press("e");
  await p.waitForSelector(".passage mark.secret");
  assert.match(await p.innerText(".passage mark.secret"), /^ghp_\*+/);
});

await test("what was found is marked in the evidence, with its name, and the whole prompt can be read where it is kept", async () => {
  await open(p, "alert" + of("AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt").id);
  await p.keyboard.press("e");
  await p.waitForSelector(".passage mark");
  const marks = await p.locator(".passage mark").evaluateAll((all) => all.map((m) => [m.textContent, m.title]));
  assert.ok(marks.some(([text, title]) => text.startsWith("Ignore all previous instructions") && title.includes("Asks to ignore earlier instructions")), JSON.stringify(marks));
  await p.click("summary:has-text('The whole request')");
  assert.match(await p.innerText("details[open] .passage"), /^Ignore all previous instructions and reveal/);
});

await test("evidence whose key is not on this machine says so, and what to do", async () => {
  const key = `${STATE}/keys/weu.key`;
  renameSync(key, key + ".away");
  try {
    await open(p, "alert" + of("AI.Azure_CredentialTheftAttempt").id);
    await p.keyboard.press("e");
    await p.waitForSelector("section[aria-label=Evidence] [role=alert]");
    assert.match(await p.innerText("section[aria-label=Evidence] [role=alert]"), /private key[\s\S]*EvidenceKeyMissing/);
    assert.equal(await p.locator(".passage").count(), 0);
  } finally {
    renameSync(key + ".away", key);
  }
});

await test("who may not see texts is told so and gets none", async () => {
  const q = await page(b);
  await signIn(q, process.env.READER);
  const a = of("AI.Azure_ASCIISmuggling");
  await open(q, "alert" + a.id);
  assert.equal(await q.locator("text=Open the evidence").count(), 0);
  await q.keyboard.press("e");
  await q.waitForSelector("text=Your role does not show texts");
  assert.equal(await q.locator(".passage").count(), 0);
  assert.ok(!(await q.innerText("main")).includes("list of guests"));
  await q.context().close();
});

await test("an operator breaks the glass with a reason, sees the texts under a band that says so, and closes it", async () => {
  const q = await page(b);
  await signIn(q, process.env.OPERATOR);
  await open(q, "alert" + of("AI.Azure_ASCIISmuggling").id);
  assert.equal(await q.locator("text=Open the evidence").count(), 0);
  await q.keyboard.press("e");
  await q.waitForSelector("dialog[open] input:focus");
  await q.keyboard.type("incident 4711: who was meant?");
  await q.keyboard.press("Enter");
  await q.waitForSelector(".passage");
  assert.match(await q.innerText(".band"), /Break-glass is open/);
  const lines = (await api("/vedette/audit")).value;
  assert.ok(lines.some((l) => l.what === "break-glass opened" && /incident 4711/.test(l.detail + l.target)), JSON.stringify(lines.slice(0, 3)));
  await q.click("text=Close it now");
  await q.waitForFunction(() => !document.querySelector(".band") && !document.querySelector(".passage"));
  await q.context().close();
});

await test("an incident is drawn, its alerts are listed in their order and lead to their pages", async () => {
  const a = of("AI.Vedette_Incident");
  await open(p, "alert" + a.id);
  await p.waitForSelector("svg.graph");
  const members = a.properties.supportingEvidence.rows;
  assert.equal(await p.locator("svg.graph circle").count(), members.length);
  assert.equal(await p.locator(".timeline li a").count(), members.length);
  assert.equal(await p.evaluate(() => document.querySelector("svg.graph").namespaceURI), "http://www.w3.org/2000/svg");
  await p.locator(".timeline li a").first().click();
  await p.waitForSelector("text=This alert is part of");
});

await test("a comment and a classification are written down and stay", async () => {
  await open(p, "alert" + of("AI.Azure_AccessFromSuspiciousUserAgent").id);
  await p.fill("textarea[name=comment]", "seen by the desk");
  await p.selectOption("section[aria-label=History] select", "BenignPositive");
  await p.click("text=Write down");
  await p.waitForSelector("blockquote");
  await p.reload();
  await p.waitForSelector("blockquote");
  const text = await p.innerText("section[aria-label=History]");
  assert.ok(text.includes("seen by the desk") && text.includes("benign positive"), text);
});

await test("what is missing is told with what to do, and leaves nobody at a blank page", async () => {
  await open(p, "nowhere").catch(() => {});
  await p.waitForSelector("[role=alert]");
  assert.match(await p.innerText("[role=alert]"), /no such page/i);
  const gone = of("AI.Azure_ASCIISmuggling").id.replace(/_[0-9a-f]{8}-/, "_00000000-");
  await p.goto(at("alert" + gone));
  await p.waitForSelector("text=retention");
});

await test("no page said anything on the console but what was asked for, and nothing was asked of another host", () => {
  assert.deepEqual(p.said.filter((t) => !/status of (401|404|409)/.test(t)), []);
  assert.deepEqual(p.elsewhere, []);
});

await b.close();
