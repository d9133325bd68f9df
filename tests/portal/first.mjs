// A portal before the first request: pages that have nothing to show say how that changes.
import assert from "node:assert";
import { browser, open, page, signIn, test } from "./common.mjs";

const b = await browser();
const p = await page(b);
await signIn(p);

for (const [name, where, words] of [["overview", "", /No request came in[\s\S]*vedette drill/], ["list", "alerts", /No open alerts[\s\S]*vedette drill/], ["page of sensitive information", "sensitive", /No sensitive information[\s\S]*vedette drill/]])
  await test(`without traffic the ${name} says how to get some`, async () => {
    await open(p, where);
    assert.match(await p.innerText(".empty"), words);
  });

await test("nothing needs attention then", async () => {
  await open(p, "");
  assert.match(await p.innerText("section[aria-label='What needs attention']"), /Nothing/);
});

await test("the data statement is there before the first request, and says what will be counted", async () => {
  await open(p, "data");
  assert.match(await p.innerText("section[aria-label='What left']"), /Nothing has been sent[\s\S]*counted here/);
  assert.match(await p.innerText("section[aria-label='How long']"), /nothing there now/);
});

await b.close();
