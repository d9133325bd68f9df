// What axe-core finds on every page, in both themes, at both widths: nothing serious or critical. And what a reader without colours or a mouse needs.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { admin, alerts, at, browser, open, page, signIn, test } from "./common.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const b = await browser();
const all = await alerts();
const of = (type) => "alert" + all.find((a) => a.properties.alertType === type).id;

const grave = async (p, what) => {
  await p.evaluate(axe);
  const { violations } = await p.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${what}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message || "")).join(" | ")}`);
};

const pages = { list: "alerts?status=any", empty: "alerts?q=nobody-is-called-this", overview: "", incident: of("AI.Vedette_Incident"), evidence: of("AI.Azure_ASCIISmuggling"), data: "data", sensitive: "sensitive?by=user%2Ckind", "nothing sensitive": "sensitive?user=nobody-is-called-this", "no such page": "none" };

for (const [theme, width] of [["light", 1280], ["dark", 390]])
  await test(`axe finds nothing serious or critical: ${theme}, ${width} pixels`, async () => {
    const p = await page(b, { colorScheme: theme, viewport: { width, height: 900 } });
    await p.goto(at());
    await p.waitForSelector("input[name=token]");
    const found = await grave(p, "sign-in");
    await signIn(p, admin);
    for (const [name, where] of Object.entries(pages)) {
      await open(p, where).catch(() => {});
      if (name === "data") await p.locator("details").evaluateAll((all) => all.forEach((d) => { d.open = true; }));
      if (name === "evidence") {
        await p.keyboard.press("e");
        await p.waitForSelector(".passage");
      }
      found.push(...(await grave(p, name)));
    }
    await open(p, of("AI.Azure_ASCIISmuggling"));
    for (const key of ["?", "r", "s"]) {
      await p.keyboard.press(key);
      await p.waitForSelector("dialog[open]");
      found.push(...(await grave(p, "dialog " + key)));
      await p.keyboard.press("Escape");
      await p.waitForFunction(() => !document.querySelector("dialog"));
    }
    assert.deepEqual(found, []);
    await p.context().close();
  });

await test("axe finds nothing serious or critical while the glass is broken, in both themes", async () => {
  for (const theme of ["light", "dark"]) {
    const p = await page(b, { colorScheme: theme });
    await signIn(p, process.env.OPERATOR);
    await open(p, of("AI.Azure_ASCIISmuggling"));
    await p.keyboard.press("e");
    await p.waitForSelector("dialog[open]");
    const found = await grave(p, theme + " dialog");
    await p.keyboard.type("a test of ours, all pages");
    await p.keyboard.press("Enter");
    await p.waitForSelector(".band");
    found.push(...(await grave(p, theme + " band")));
    await p.click("text=Close it now");
    await p.waitForFunction(() => !document.querySelector(".band"));
    assert.deepEqual(found, []);
    await p.context().close();
  }
});

await test("the theme can be chosen, and stays", async () => {
  const p = await page(b);
  await signIn(p);
  const ground = () => p.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await p.click("button[aria-label^=Theme]"); // light
  assert.equal(await ground(), light);
  await p.click("button[aria-label^=Theme]"); // dark
  const dark = await ground();
  assert.notEqual(dark, light);
  await p.reload();
  await p.waitForSelector("header.top");
  assert.equal(await ground(), dark);
  await p.context().close();
});

await test("the page has a title, one heading, a main part that gets the focus, and a way past the navigation", async () => {
  const p = await page(b);
  await signIn(p, admin, "alerts");
  await p.waitForSelector("table.list");
  assert.match(await p.title(), /^Alerts/);
  assert.equal(await p.locator("h1").count(), 1);
  await p.focus("a.skip");
  await p.keyboard.press("Enter");
  assert.equal(await p.evaluate(() => document.activeElement.id), "main");
  assert.equal(await p.evaluate(() => document.documentElement.lang), "en");
  await p.context().close();
});

await b.close();
