// What a reader of the list does, one thing after the other; a row of a table for each. See portal_browser.py.
import { GATEWAY, admin, at, browser, page, signIn } from "../portal/common.mjs";

const b = await browser();
const p = await page(b);
const cdp = await p.context().newCDPSession(p);
await cdp.send("Performance.enable");
const metrics = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
await p.addInitScript(() => {
  window.seen = { long: [], frames: [], last: 0 };
  new PerformanceObserver((list) => list.getEntries().forEach((e) => window.seen.long.push(e.duration))).observe({ type: "longtask", buffered: true });
  const frame = (t) => { if (window.seen.last) window.seen.frames.push(t - window.seen.last); window.seen.last = t; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
});
const key = () => p.evaluate(() => [...document.querySelectorAll("table.list tbody tr")].map((r) => r.textContent).join("|"));
const others = (before) => p.waitForFunction((b4) => { const rows = [...document.querySelectorAll("table.list tbody tr")]; return rows.length && rows.map((r) => r.textContent).join("|") !== b4; }, before);
const ms = (n) => (1000 * n).toFixed(0);

console.log("| what | answer ms | page's thread ms | script | layout, style | long tasks | longest ms | late frames |\n|---|---|---|---|---|---|---|---|");
async function row(name, act) {
  await p.evaluate(() => { window.seen.long = []; window.seen.frames = []; window.seen.last = 0; });
  const before = await metrics(), begin = performance.now();
  await act();
  const wall = performance.now() - begin;
  await p.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const m = await metrics(), { long, frames } = await p.evaluate(() => window.seen);
  const d = (k) => m[k] - before[k];
  console.log(`| ${name} | ${wall.toFixed(0)} | ${ms(d("TaskDuration"))} | ${ms(d("ScriptDuration"))} | ${ms(d("LayoutDuration") + d("RecalcStyleDuration"))} | ${long.length} | ${Math.max(0, ...long).toFixed(0)} | ${frames.filter((f) => f > 34).length} of ${frames.length} |`);
}
const changed = (act) => async () => { const before = await key(); await act(); await others(before); };
const filter = (words, value) => changed(() => p.selectOption(`form.filters label:has-text("${words}") select`, value));
const sort = (words) => changed(() => p.click(`th button:has-text("${words}")`));

await signIn(p, admin, "catalogue");
await row("the list, from another page", async () => { await p.goto(at("alerts?status=any")); await p.waitForSelector("table.list tbody tr:nth-child(50)"); });
await row("a filter: high severity", filter("Severity", "High"));
await row("... and any again", filter("Severity", ""));
await row("sorted by user", sort("User"));
await row("sorted by number of events", sort("Events"));
await row("the newest first", changed(() => p.goto(at("alerts?status=any"))));
await row("ten pages on", async () => { for (let i = 0; i < 10; i++) await changed(() => p.keyboard.press("]"))(); });
await row("ten pages back", async () => { for (let i = 0; i < 10; i++) await changed(() => p.keyboard.press("["))(); });
await row("49 rows down with j", async () => { for (let i = 0; i < 49; i++) await p.keyboard.press("j"); });
await row("scrolling to the end and back", async () => { for (let i = 0; i < 40; i++) { await p.mouse.wheel(0, i < 20 ? 120 : -120); await p.waitForTimeout(16); } });
await row("marking all of the page", async () => { await p.keyboard.press("*"); await p.waitForSelector("text=50 alerts marked"); await p.keyboard.press("*"); });
await row("typing a search of 10 letters", changed(async () => { await p.focus("input[type=search]"); await p.keyboard.type("user-00017", { delay: 40 }); }));
await row("the search taken back", changed(() => p.fill("input[type=search]", "")));
await row("an alert that arrives", async () => {
  await fetch(`${GATEWAY}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ messages: [{ role: "user", content: "[[leak github-pat]]" }] }) });
  await p.waitForSelector("button:has-text('new alert')");
});

await p.goto(at("alerts?status=any"));
const size = async () => { await cdp.send("HeapProfiler.collectGarbage"); const m = await metrics(); return `${(m.JSHeapUsedSize / 1e6).toFixed(1)} MB, ${m.Nodes} nodes, ${m.JSEventListeners} listeners`; };
await p.waitForSelector("table.list tbody tr:nth-child(50)");
await p.keyboard.press("Escape"); // out of the search
console.log("\nin memory: " + await size());
for (const pages of [120, 240]) {
  for (let i = 0; i < 60; i++) await changed(() => p.keyboard.press("]"))();
  for (let i = 0; i < 60; i++) await changed(() => p.keyboard.press("["))();
  console.log(`after ${pages} pages: ` + await size());
}
await b.close();
