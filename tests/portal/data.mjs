// The pages Data and Sensitive information: what they show is what the API and the state folder say.
import assert from "node:assert";
import { rmSync, writeFileSync } from "node:fs";
import { CONTROL, STATE, admin, api, at, browser, open, page, settled, signIn, test } from "./common.mjs";

const b = await browser();
const p = await page(b);
await signIn(p);
const part = (name) => p.locator(`section[aria-label='${name}']`);
const hash = () => p.evaluate(() => location.hash);

// ---- data ----

const s = await api("/vedette/dataStatement");
await open(p, "data");

await test("every class of data is there with what it holds, where, how it is protected, how long it is kept and who may read it", async () => {
  const classes = p.locator(".classes details");
  assert.equal(await classes.count(), s.data.length);
  for (const [i, c] of s.data.entries()) {
    await classes.nth(i).locator("summary").click();
    const text = await classes.nth(i).innerText();
    for (const words of [c.title, c.holds, c.protection, c.stores[0]?.kept || c.kept, ...c.readers.tokens.map((t) => t.name), ...c.tables.map((t) => t.table)]) assert.ok(text.includes(words), `${c.class}: ${words}`);
  }
});

await test("a workspace's region is a dot on the map and in words, and no file of a map was loaded", async () => {
  assert.equal(await p.locator("svg.map circle").count(), 2 * s.workspaces.length);
  assert.match(await p.innerText(".places"), /westeurope, Netherlands: workspace weu/);
  const dot = await p.locator("svg.map circle").last().evaluate((e) => [+e.getAttribute("cx"), +e.getAttribute("cy")]);
  assert.deepEqual(dot.map(Math.round), [Math.round(((4.9 + 180) / 360) * 720), Math.round(((80 - 52.4) / 138) * 300)]);
  assert.deepEqual(p.elsewhere, []);
});

await test("each class with a limit has a bar: the oldest item that is there against how long it may be", async () => {
  const limited = s.data.flatMap((c) => c.stores.filter((x) => x.keptSeconds).map((x) => [c.title, x]));
  const rows = await part("How long").locator("li").allInnerTexts();
  assert.equal(rows.length, limited.length);
  for (const [i, [title, x]] of limited.entries()) {
    assert.ok(rows[i].includes(title) && rows[i].includes(`kept ${x.keptSeconds / 86400} days`), rows[i]);
    assert.match(rows[i], x.rows.some((r) => r.oldest) ? /oldest is .* old/ : /nothing there now/);
  }
});

await test("verify now looks at the disk; what is planted there is named with its place and what to do, as text", async () => {
  const verify = part("Verify");
  assert.match(await verify.innerText(), /Nobody has looked/);
  await verify.locator("button").click();
  await verify.locator("text=Nothing is there that this statement does not cover").waitFor();
  assert.match(await verify.innerText(), /Looked at [1-9][\d,]* files, [1-9]\d* tables, [1-9]\d* records/);
  const name = "spool/<img src=x onerror=alert(1)>\u202e.txt";
  writeFileSync(`${STATE}/${name}`, "Canary-7f3a", { mode: 0o600 });
  try {
    await verify.locator("button").click();
    await verify.locator("tbody tr").waitFor();
    const text = await verify.innerText();
    for (const words of ["1 thing is not as the statement says", "unknown-file", "<img src=x onerror=alert(1)>", "remove it"]) assert.ok(text.includes(words), text);
    assert.ok(!text.includes("Canary") && !text.includes("\u202e"));
    await p.reload();
    await verify.locator("tbody tr").waitFor();
  } finally { rmSync(`${STATE}/${name}`); }
  await verify.locator("button").click();
  await verify.locator("text=Nothing is there").waitFor();
});

await test("who may see one workspace gets its statement, and is told that the look takes more", async () => {
  const q = await page(b);
  await signIn(q, process.env.NARROW, "data");
  await settled(q);
  assert.equal(await q.locator(".classes details").count(), s.data.length);
  assert.match(await q.innerText("section[aria-label=Verify] [role=alert]"), /every workspace[\s\S]*vedette tokens create/);
  await q.context().close();
});

await test("what was sent is a chart by day and destination, and a table with the same numbers", async () => {
  await part("What left").locator("canvas").waitFor();
  const sent = s.sent.find((x) => x.name === "gpt-4o");
  await part("What left").locator("summary").click();
  assert.ok((await part("What left").locator("details tbody tr").last().innerText()).includes(sent.sentBytes.toLocaleString("en-GB")));
  assert.equal(await part("What left").locator("details tbody tr").count(), 7);
  assert.ok((await part("What left").innerText()).includes(sent.count.toLocaleString("en-GB")));
});

await test("every connection has its reason and what goes there, and what is not kept is told", async () => {
  const text = await part("Outgoing connections").innerText();
  assert.match(text, /None leads away from this machine/);
  for (const c of s.connections) for (const words of [c.destination, c.why, c.sends, c.usedBy]) assert.ok(text.includes(words), words);
  const absent = await part("What is not kept").innerText();
  for (const a of s.notKept) assert.ok(absent.includes(a.what) && absent.includes(a.why), a.what);
});

await test("without a legal hold the page says how to set one", async () => {
  assert.match(await part("Legal holds").innerText(), /Nothing is held[\s\S]*vedette retention hold/);
});

await test("a legal hold is there with what it is about, why, and who set it", async () => {
  const hold = (method, body) => fetch(`${CONTROL}/vedette/workspaces/weu/holds/case-4711`, { method, headers: { authorization: "Bearer " + admin, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  assert.ok((await hold("PUT", { endUserId: "anna", since: "2026-01-01T00:00:00Z", reason: "a <b>case</b>" })).ok);
  await p.click("text=Look again");
  await part("Legal holds").locator("li").waitFor();
  const text = await part("Legal holds").innerText();
  for (const words of ["case-4711", "user anna", "1 Jan 2026", "a <b>case</b>", "Set by api:admin"]) assert.ok(text.replace("01 Jan", "1 Jan").includes(words), text);
  assert.ok((await hold("DELETE")).ok);
  await p.click("text=Look again");
  await part("Legal holds").locator("text=Nothing is held").waitFor();
});

await test("a hold is set, extended and released in the portal, each with its reason in the audit log", async () => {
  const card = part("Legal holds");
  await card.locator("text=Set a hold").click();
  await p.fill("dialog input[name=name]", "case 12");
  await p.fill("dialog input[name=reason]", "asked by counsel");
  await p.keyboard.press("Enter");
  assert.equal(await p.evaluate(() => document.querySelector("dialog input[name=name]").validity.patternMismatch), true);
  await p.fill("dialog input[name=name]", "case-12");
  await p.fill("dialog input[name=endUserId]", "anna");
  await p.fill("dialog input[name=until]", "2026-12-24T18:00");
  await p.keyboard.press("Enter");
  await card.locator("li:has-text('case-12')").waitFor();
  assert.match(await card.innerText(), /user anna up to .*24.*2026.*asked by counsel/s);
  const held = async () => (await api("/vedette/workspaces/weu/holds")).value.find((h) => h.name === "case-12");
  assert.equal((await held()).until, "2026-12-24T17:00:00.0000000Z", "the field is in the reader's zone");
  await card.locator("button[aria-label='Change the hold case-12']").click();
  await p.fill("dialog input[name=until]", "");
  await p.fill("dialog input[name=reason]", "until further notice");
  await p.keyboard.press("Enter");
  await card.locator("text=until further notice").waitFor();
  assert.deepEqual([(await held()).until, (await held()).endUserId], [undefined, "anna"]);
  await card.locator("button[aria-label='Release the hold case-12']").click();
  await p.waitForSelector("dialog input[name=reason]:focus");
  await p.keyboard.type("the case is closed");
  await p.keyboard.press("Enter");
  await card.locator("text=Nothing is held").waitFor();
  const lines = (await api("/vedette/audit?what=legal+hold&text=case-12")).value.map((l) => [l.what, l.detail]);
  assert.deepEqual(lines, [["legal hold released", "the case is closed"], ["legal hold set", "until further notice"], ["legal hold set", "asked by counsel"]]);
});

await test("an alert is held from its page", async () => {
  const [alert] = (await api("/vedette/alerts?status=Active&top=1")).value;
  await open(p, "alert" + alert.id);
  await p.click("text=Hold…");
  await p.fill("dialog input[name=name]", "alert-1");
  await p.fill("dialog input[name=reason]", "evidence of case 7");
  await p.keyboard.press("Enter");
  await p.waitForFunction(() => !document.querySelector("dialog"));
  const [hold] = (await api("/vedette/workspaces/weu/holds")).value;
  assert.equal(hold.alert, alert.id.split("/").at(-1));
  await fetch(`${CONTROL}/vedette/workspaces/weu/holds/alert-1`, { method: "DELETE", headers: { authorization: "Bearer " + admin } });
  await open(p, "data");
});

await test("who does not administer sees holds and no buttons", async () => {
  const q = await page(b);
  await signIn(q, process.env.OPERATOR, "data");
  await q.waitForSelector("text=An administrator sets and releases holds");
  assert.equal(await q.locator("text=Set a hold").count(), 0);
  await q.context().close();
});

await test("the access log is filtered by who, what and text, in the address; it can be looked through to its beginning", async () => {
  const log = part("Access log");
  assert.equal(await log.locator("tbody tr").count(), 20);
  assert.deepEqual([await log.locator("thead th").last().innerText(), new Set(await log.locator("tbody td:last-child").allInnerTexts())], ["Workspace", new Set(["weu"])]);
  await log.locator("input[name=what]").fill("token created");
  await p.waitForFunction(() => [...document.querySelectorAll("section[aria-label='Access log'] tbody tr")].every((r) => r.cells[2].innerText === "token created") && document.querySelectorAll("section[aria-label='Access log'] tbody tr").length);
  assert.match(await log.innerText(), /desk[\s\S]*role reader/);
  await log.locator("input[name=who]").fill("CLI:");
  await p.waitForFunction(() => [...document.querySelectorAll("section[aria-label='Access log'] tbody tr")].every((r) => r.cells[1].innerText.startsWith("cli:")));
  await log.locator("input[name=who]").fill("");
  assert.match(await hash(), /what=token\+created/);
  await log.locator("input[name=text]").fill("no such words");
  await log.locator("text=No entry is like this").waitFor();
  await open(p, "data?what=alert+changed");
  await open(p, "data");
  await p.waitForFunction(() => /shown/.test(document.querySelector("section[aria-label='Access log']")?.innerText));
  for (let i = 0; i < 60 && (await log.locator("text=Look further back").count()); i++) {
    const before = await log.locator("tbody tr").count();
    await log.locator("text=Look further back").click();
    await p.waitForFunction((n) => document.querySelectorAll("section[aria-label='Access log'] tbody tr").length > n && /shown/.test(document.querySelector("section[aria-label='Access log']").innerText), before);
  }
  assert.match(await log.innerText(), /there are no older ones/);
  let lines = 0;
  for (let next = "/vedette/audit"; next; ) {
    const answer = await api(next);
    lines += answer.value.length;
    next = answer.nextLink && new URL(answer.nextLink).pathname + new URL(answer.nextLink).search;
  }
  assert.ok(Math.abs((await log.locator("tbody tr").count()) - lines) <= 2, `${lines} entries, ${await log.locator("tbody tr").count()} shown`);
});

await test("a part is reached by keyboard from the top of the page, without a step in the address", async () => {
  await open(p, "data");
  const before = await hash();
  await p.focus("nav[aria-label='Parts of the statement'] a:has-text('Access log')");
  await p.keyboard.press("Enter");
  assert.equal(await p.evaluate(() => document.activeElement.id), "part-log");
  assert.equal(await hash(), before);
});

await test("g and d lead to the data, g and s to sensitive information", async () => {
  await open(p, "alerts");
  await p.keyboard.press("g");
  await p.keyboard.press("d");
  await p.waitForFunction(() => document.querySelector("h1")?.innerText === "Data");
  await p.keyboard.press("g");
  await p.keyboard.press("s");
  await p.waitForFunction(() => document.querySelector("h1")?.innerText === "Sensitive information");
});

// ---- sensitive information ----

const u = await api("/vedette/sensitiveInformation?by=kind,user&bucket=total");
const column = (rows, n) => rows.map((r) => +r[n].replace(/\D/g, ""));
const table = async () => part("All of it").locator("tbody tr").evaluateAll((rows) => rows.map((r) => [...r.cells].map((c) => c.innerText)));

await test("kinds over time: a chart, and its numbers in a table", async () => {
  await open(p, "sensitive?span=24h");
  await p.waitForSelector(".plot canvas");
  const kinds = new Set(u.value.map((r) => r.kind));
  assert.ok(kinds.size >= 3, [...kinds].join());
  await part("Over time").locator("summary").click();
  const cells = await part("Over time").locator("details tbody tr").evaluateAll((rows) => rows.map((r) => [...r.cells].slice(1).map((c) => +c.innerText)));
  assert.equal(cells.length, 24);
  assert.equal(cells[0].length, Math.min(kinds.size, 5));
  assert.equal(cells.flat().reduce((x, y) => x + y), u.value.reduce((sum, r) => sum + r.interactions, 0));
});

await test("the table has a row for each kind, with the API's numbers", async () => {
  const rows = await table(), findings = u.value.reduce((sum, r) => sum + r.findings, 0);
  assert.equal(rows.length, new Set(u.value.map((r) => r.kind)).size);
  assert.equal(column(rows, 2).reduce((x, y) => x + y), findings);
  assert.ok(rows.some((r) => r[0] === "GitHub Personal Access Token (github-pat)"), JSON.stringify(rows));
});

await test("by user and by two things at once; what is chosen is in the address", async () => {
  await p.selectOption("form.filters label:has-text('By') select", "user");
  await p.waitForSelector("section[aria-label='All of it'] h2:text-is('By user')");
  await p.waitForFunction((n) => document.querySelectorAll("section[aria-label='All of it'] tbody tr").length === n, new Set(u.value.map((r) => r.user)).size);
  assert.match(await hash(), /by=user/);
  await open(p, "sensitive?by=user%2Ckind");
  await p.waitForFunction((n) => document.querySelectorAll("section[aria-label='All of it'] tbody tr").length === n, u.value.length);
});

await test("a click on a kind filters, the filter is in the address and goes away again", async () => {
  await open(p, "sensitive");
  await part("Kinds").locator("button:has-text('github-pat')").click();
  await p.waitForSelector("button[aria-label='Remove the filter Kind github-pat']");
  await p.waitForFunction(() => document.querySelectorAll("section[aria-label='All of it'] tbody tr").length === 1);
  assert.match(await hash(), /kind=github-pat/);
  await p.click("button[aria-label='Remove the filter Kind github-pat']");
  await p.waitForFunction(() => document.querySelectorAll("section[aria-label='All of it'] tbody tr").length > 1);
});

await test("a row leads to the alerts of the same user and of what was found", async () => {
  const one = u.value.find((r) => r.kind === "github-pat");
  await open(p, `sensitive?by=user%2Ckind&user=${encodeURIComponent(one.user)}&kind=github-pat`);
  await p.waitForFunction(() => document.querySelectorAll("section[aria-label='All of it'] tbody tr").length === 1);
  await part("All of it").locator("tbody a").click();
  await p.waitForSelector("table.list tbody tr");
  const query = new URLSearchParams((await hash()).split("?")[1]);
  assert.deepEqual([query.get("user"), query.get("type"), query.get("status"), query.get("since")], [one.user, "AI.Azure_CredentialTheftAttempt", "any", "30d"]);
  await settled(p);
  const rows = await p.locator("table.list tbody tr").allInnerTexts();
  assert.ok(rows.length && rows.every((x) => x.includes(one.user)), JSON.stringify(rows));
});

await test("a filter that finds nothing says what to do", async () => {
  await open(p, "sensitive?user=nobody-is-called-this");
  assert.match(await p.innerText(".empty"), /Remove a filter/);
  await open(p, "sensitive?span=never&by=nothing");
  assert.equal(await part("All of it").locator("h2").innerText(), "By kind");
});

await test("a reader sees both pages", async () => {
  const q = await page(b);
  await signIn(q, process.env.READER, "data");
  await settled(q);
  assert.equal(await q.locator(".classes details").count(), s.data.length);
  await open(q, "sensitive");
  await q.waitForSelector("section[aria-label='All of it'] tbody tr");
  await q.context().close();
});

await test("on a phone neither page scrolls sideways", async () => {
  const q = await page(b, { viewport: { width: 390, height: 800 } });
  await signIn(q, admin, "data");
  for (const where of ["data", "sensitive?by=user%2Ckind"]) {
    await q.goto(at(where));
    await settled(q);
    await q.locator("details").evaluateAll((all) => all.forEach((d) => { d.open = true; }));
    assert.ok(await q.evaluate(() => document.documentElement.scrollWidth <= innerWidth), where);
  }
  await q.context().close();
});

await test("nothing was said on the console, and nothing asked of another host", () => {
  assert.deepEqual([p.elsewhere, p.said.filter((t) => !/status of 401/.test(t))], [[], []]);
});

await b.close();
