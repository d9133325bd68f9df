// A portal before the first request: pages that have nothing to show say how that changes.
import assert from "node:assert";
import { browser, open, page, signIn, test } from "./common.mjs";

const b = await browser();
const p = await page(b);
await signIn(p);

for (const [name, where, words] of [["overview", "", /No request came in[\s\S]*vedette drill/], ["list", "alerts", /No open alerts[\s\S]*vedette drill/]])
  await test(`without traffic the ${name} says how to get some`, async () => {
    await open(p, where);
    assert.match(await p.innerText(".empty"), words);
  });

await test("nothing needs attention then", async () => {
  await open(p, "");
  assert.match(await p.innerText("section[aria-label='What needs attention']"), /Nothing/);
});

await b.close();
