// Pseudonyms as a user of the openai package sees them: not at all. The model never has the values.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { key } from "./common.mjs";

const { GATEWAY, ECHO, STATE } = process.env;
const openai = new OpenAI({ baseURL: `http://${GATEWAY}/v1`, apiKey: "client-key", maxRetries: 0 });
const user = (content) => [{ role: "user", content }];
const tools = [{ type: "function", function: { name: "save", parameters: { type: "object", properties: { value: { type: "string" } } } } }];
const received = () => JSON.parse(JSON.parse(readFileSync(ECHO, "utf8").trim().split("\n").at(-1)).body);
const NAME = /gh[p]_vdt[0-9a-z]{20}/;

const A = key(1), B = key(2);
const pem = ["-----BEGIN EC PRIVATE" + " KEY-----", "MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49", "AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q", "-----END EC PRIVATE" + " KEY-----"].join("\n");

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}

test("the client reads its own keys, the model reads names", async () => {
  const { data, response } = await openai.chat.completions.create({ model: "naming", messages: user(`[[echo]] Is ${A} the same as ${B}, or as ${A}?`) }).withResponse();
  assert.equal(data.choices[0].message.content.trim(), `Is ${A} the same as ${B}, or as ${A}?`);
  assert.equal(response.headers.get("x-vedette-verdict"), "redacted");
  const seen = received().messages[0].content;
  assert.match(seen, NAME);
  assert.ok(!seen.includes(A) && !seen.includes(B));
  const names = seen.match(new RegExp(NAME, "g"));
  assert.equal(names.length, 3);
  assert.equal(names[0], names[2]);
  assert.notEqual(names[0], names[1]);
});

for (const chunk of [1, 2, 5, 11, 26, 27, 28, 90])
  test(`... in a stream of ${chunk}-byte deltas cut anywhere`, async () => {
    const stream = await openai.chat.completions.create({ model: "naming", messages: user(`[[echo]] [[chunk ${chunk}]] [[cut ${chunk}]] Use ${A}, then ${B}. grün`), stream: true });
    assert.equal((await textOf(stream)).trim(), `Use ${A}, then ${B}. grün`);
    assert.ok(!JSON.stringify(received()).includes(A));
  });

test("names are the same in the next request, and in another conversation", async () => {
  const seen = [];
  for (const content of [`first ${A}`, `second: ${A}`]) {
    await openai.chat.completions.create({ model: "naming", messages: user(content) });
    seen.push(received().messages[0].content.match(NAME)[0]);
  }
  assert.equal(seen[0], seen[1]);
});

test("addresses and cards have names of their own form", async () => {
  const said = `[[echo]] Write to ann.onymous@contoso.com about card 4539 1488 0343 6467.`;
  const { choices } = await openai.chat.completions.create({ model: "naming", messages: user(said) });
  assert.equal(choices[0].message.content.trim(), said.slice(9));
  assert.match(received().messages[0].content, /Write to vdt[0-9a-z]{20}@pseudonym\.invalid about card 99[0-9]{14}\./);
});

for (const [what, value] of [["a key", A], ["a key of several lines", pem]])
  test(`${what} comes back into the arguments of a call, and they are JSON`, async () => {
    const args = { model: "naming", messages: user(`[[chunk 3]] [[tool save ${JSON.stringify({ value })}]]`), tools };
    const whole = await openai.chat.completions.create(args);
    const call = whole.choices[0].message.tool_calls[0];
    assert.ok(!JSON.stringify(received()).includes(JSON.stringify(value).slice(1, 20)));
    const back = JSON.parse(call.function.arguments);
    assert.deepEqual(Object.keys(back), ["value"]);
    assert.equal(back.value.replaceAll("\\n", "\n"), value);
    const message = await openai.chat.completions.stream(args).finalMessage();
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), back);
    // The next turn: the call stands in the history, with the value.
    const messages = [...args.messages, whole.choices[0].message, { role: "tool", tool_call_id: call.id, content: "saved" }, ...user("[[say done]]")];
    const next = await openai.chat.completions.create({ model: "naming", messages, tools });
    assert.equal(next.choices[0].message.content, "done");
    assert.ok(!JSON.stringify(received()).includes(JSON.stringify(value).slice(1, 20)));
    JSON.parse(received().messages[1].tool_calls[0].function.arguments);
  });

test("restore: tool-calls gives tools the key and people its name", async () => {
  const text = await openai.chat.completions.create({ model: "naming-for-tools", messages: user(`[[echo]] It is ${A}.`) });
  assert.match(text.choices[0].message.content, NAME);
  assert.ok(!text.choices[0].message.content.includes(A));
  const call = await openai.chat.completions.create({ model: "naming-for-tools", messages: user(`[[tool save {"value": "${A}"}]]`), tools });
  assert.deepEqual(JSON.parse(call.choices[0].message.tool_calls[0].function.arguments), { value: A });
});

test("what only system text says is not read out", async () => {
  const messages = [{ role: "system", content: `The deploy key is ${A}.` }, { role: "user", content: "[[say no]]" }];
  await openai.chat.completions.create({ model: "naming", messages });
  const name = received().messages[0].content.match(NAME)[0];
  messages[1].content = `[[say It is ${name}.]]`;
  const { choices } = await openai.chat.completions.create({ model: "naming", messages });
  assert.equal(choices[0].message.content, `It is ${name}.`);
});

test("a name that an answer gave is the key again for the model, and raises nothing", async () => {
  const first = await openai.chat.completions.create({ model: "naming-answers", messages: user(`[[echo]] It is ${A}.`) });
  const said = first.choices[0].message.content;
  assert.match(said, NAME);
  const messages = [...user(`It is ${A}.`), { role: "assistant", content: said }, ...user("[[say yes]] sure?")];
  const { data } = await openai.chat.completions.create({ model: "naming-answers", messages }).withResponse();
  assert.equal(data.choices[0].message.content, "yes");
  assert.ok(received().messages[1].content.includes(A));
  const { response } = await openai.chat.completions.create({ model: "naming-answers", messages: user(`What is ${said.match(NAME)[0]}?`) }).withResponse();
  assert.equal(response.headers.get("x-vedette-verdict"), "allow");
});

// No value is in any file below the state folder but what the simulated model wrote, and that has none either.
test("nothing that was masked is in a file", () => {
  const files = (dir) => readdirSync(dir).flatMap((f) => (statSync(join(dir, f)).isDirectory() ? files(join(dir, f)) : statSync(join(dir, f)).isFile() ? [join(dir, f)] : []));
  const all = files(join(STATE, "state"));
  assert.ok(all.length > 3);
  for (const f of all) assert.ok(!readFileSync(f).includes(A.slice(4, 30)) && !readFileSync(f).includes("ann.onymous"), f);
});
