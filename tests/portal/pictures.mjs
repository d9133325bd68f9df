// Takes the pictures of docs/images again, at two widths. Started by tests/portal/pictures; ONLY=data,alert takes some of them.
import { admin, alerts, browser, open, page, signIn } from "./common.mjs";

const b = await browser();
const list = await alerts();
const of = (type) => "alert" + list.find((a) => a.properties.alertType === type).id;
const shots = [["overview", "?span=1h", ".plot canvas", ""], ["alerts", "alerts", "table.list tbody tr", ""], ["preview", "alerts", "aside.preview h2", "v"], ["alert", of("AI.Azure_ASCIISmuggling"), ".steps", "e"],
  ["playground", "playground", ".steps", "", ["text=One in base64", "form.card button.main"]], ["catalogue", "catalogue/rules?q=github", "details[open]", "", ["details.card >> nth=0 >> summary"]],
  ["sensitive", "sensitive?span=7d", ".plot canvas", ""], ["data", "data", "svg.map circle", ""]].filter(([name]) => !process.env.ONLY || process.env.ONLY.split(",").includes(name));

for (const [width, height, colorScheme] of [[1280, 800, "light"], [390, 780, "dark"]]) {
  const p = await page(b, { viewport: { width, height }, colorScheme });
  await signIn(p, admin);
  for (const [name, where, ready, key, clicks] of shots) {
    if (name === "preview" && width < 900) continue; // a phone has no room beside a list
    await open(p, where);
    if (key) await p.keyboard.press(key);
    for (const what of clicks || []) await p.click(what);
    await p.waitForSelector(ready, { timeout: 120000 });
    await p.waitForFunction(() => !document.querySelector(".toast:not(.hidden)"));
    await p.waitForTimeout(300); // charts and fonts
    await p.screenshot({ path: `${process.env.IMAGES}/portal-${name}-${width}.png` });
  }
  await p.context().close();
}
await b.close();
console.log("ok 1 - pictures were taken");
