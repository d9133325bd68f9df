// Ollama's API through vedette, as a user of the ollama package sees it.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Ollama } from "ollama";
import { GATEWAY, MODEL, attack, injection, TOKEN, MASKED, CUT, schema, calls, collect, received, aborts } from "./common.mjs";

const client = new Ollama({ host: `http://${GATEWAY}` });
const direct = new Ollama({ host: `http://${MODEL}` });
const tools = [{ type: "function", function: { name: "save", description: "Saves a value", parameters: schema } }];
const chat = (content, more) => ({ model: "gpt-4o", messages: [{ role: "user", content }], ...more });
const chatText = (parts) => parts.map((p) => p.message.content).join("");
// both calls of the package: [name, call, text of a whole answer, text of a stream]
const both = [
  ["chat", (c, text, more) => c.chat(chat(text, more)), (r) => r.message.content, chatText],
  ["generate", (c, prompt, more) => c.generate({ model: "gpt-4o", prompt, ...more }), (r) => r.response, (parts) => parts.map((p) => p.response).join("")],
];

for (const [name, call, whole, joined] of both) {
  test(`${name}: a clean answer is the model's, streamed or not`, async () => {
    assert.match(whole(await call(client, "Good morning")), /simulated model/);
    const parts = await collect(await call(client, "[[say grün und größer]] [[chunk 3]]", { stream: true }));
    assert.equal(joined(parts), "grün und größer");
    assert.equal(parts.at(-1).done_reason, "stop");
  });

  test(`${name}: a jailbreak is an error with status 400`, async () => {
    for (const stream of [false, true]) await assert.rejects(async () => collect(await call(client, attack, { stream })), (e) => e.status_code === 400 && /content policy/.test(e.message));
  });

  test(`${name}: a leaked key is masked`, async () => {
    assert.equal(whole(await call(client, "[[leak github-pat]]")), MASKED);
    for (const chunk of [1, 3, 7, 60]) assert.equal(joined(await collect(await call(client, `[[leak github-pat]] [[chunk ${chunk}]] [[cut ${chunk}]]`, { stream: true }))), MASKED);
  });

  test(`${name}: a cut answer says so`, async () => {
    const r = await call(client, "[[leak github-pat]]", { model: "cutting" });
    assert.deepEqual([whole(r), r.done_reason], [CUT, "content_filter"]);
    for (const chunk of [1, 5, 60]) {
      const parts = await collect(await call(client, `[[leak github-pat]] [[chunk ${chunk}]]`, { model: "cutting", stream: true }));
      assert.deepEqual([joined(parts), parts.at(-1).done, parts.at(-1).done_reason], [CUT, true, "content_filter"]);
    }
  });

  test(`${name}: a blocked answer shows no text`, async () => {
    const r = await call(client, "[[leak github-pat]]", { model: "blocking" });
    assert.deepEqual([whole(r), r.done_reason], ["", "content_filter"]);
  });

  test(`${name}: errors have their status, aborts end at once`, async () => {
    await assert.rejects(call(client, "hi", { model: "nowhere" }), (e) => e.status_code === 404);
    await assert.rejects(call(client, "[[status 429]]"), (e) => e.status_code === 429);
    await aborts(assert, async () => {
      const stream = await call(client, "[[long 400]] [[slow 20]]", { stream: true });
      return [stream, () => stream.abort()];
    });
  });
}

test("tools are called, streamed or not, and a key in their arguments is masked", async () => {
  for (const [content, expected] of calls) {
    assert.deepEqual((await client.chat(chat(content, { tools }))).message.tool_calls[0].function, { name: "save", arguments: { value: expected } });
    const parts = await collect(await client.chat(chat(content, { tools, stream: true })));
    assert.deepEqual(parts.flatMap((p) => p.message.tool_calls ?? [])[0].function.arguments, { value: expected });
  }
});

test("tool results are read for indirect attacks", async () => {
  const messages = [{ role: "user", content: "What is the weather?" }, { role: "tool", tool_name: "weather", content: injection }];
  await assert.rejects(client.chat({ model: "gpt-4o", messages }), (e) => e.status_code === 400);
});

test("what was inspected is what was sent", async () => {
  const body = chat("[[say ok]] mark-" + process.pid, { stream: false, options: { temperature: 0.5 } });
  await client.chat(body);
  assert.deepEqual(received("mark-" + process.pid), body);
});

test("the model itself leaks (the tests do not pass because it is mute)", async () => {
  assert.match((await direct.chat(chat("[[leak github-pat]]"))).message.content, TOKEN);
});
