// Anthropic Messages through vedette, as a user of @anthropic-ai/sdk sees it.
import { test } from "node:test";
import assert from "node:assert/strict";
import Anthropic, { BadRequestError, NotFoundError, RateLimitError } from "@anthropic-ai/sdk";
import { GATEWAY, MODEL, attack, injection, TOKEN, MASKED, CUT, schema, calls, collect, received, aborts } from "./common.mjs";

const client = new Anthropic({ baseURL: `http://${GATEWAY}`, apiKey: "k", maxRetries: 0 });
const direct = new Anthropic({ baseURL: `http://${MODEL}`, apiKey: "k", maxRetries: 0 });
const tools = [{ name: "save", description: "Saves a value", input_schema: schema }];
const ask = (content, more) => ({ model: "gpt-4o", max_tokens: 200, messages: [{ role: "user", content }], ...more });
const textOf = (events) => events.filter((e) => e.delta?.type === "text_delta").map((e) => e.delta.text).join("");

test("a clean answer is the model's", async () => {
  const { data, response } = await client.messages.create(ask("Good morning")).withResponse();
  assert.match(data.content[0].text, /simulated model/);
  assert.equal(data.stop_reason, "end_turn");
  assert.equal(response.headers.get("x-vedette-verdict"), "allow");
});

test("a clean stream is the model's, event by event", async () => {
  const args = ask([{ type: "text", text: "[[say grün und größer]] [[chunk 3]]" }], { stream: true });
  const events = await collect(await client.messages.create(args)), rest = (all) => all.filter((e) => e.type !== "content_block_delta");
  assert.deepEqual(rest(events), rest(await collect(await direct.messages.create(args))));
  assert.equal(textOf(events), "grün und größer");
});

for (const [name, content] of Object.entries({ "a string": attack, "a block": [{ type: "text", text: attack }] }))
  test(`a jailbreak in ${name} is a BadRequestError`, async () => {
    for (const stream of [false, true])
      await assert.rejects(client.messages.create(ask(content, { stream })), (e) => {
        assert.ok(e instanceof BadRequestError);
        assert.equal(e.error.type, "error");
        assert.equal(e.error.error.type, "invalid_request_error");
        assert.deepEqual(e.error.error.content_filter_result.jailbreak, { detected: true, filtered: true });
        return true;
      });
  });

test("tool results and documents are read for indirect attacks", async () => {
  for (const block of [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: injection }] }, { type: "document", source: { type: "text", media_type: "text/plain", data: injection } }, { type: "document", source: { type: "base64", media_type: "text/plain", data: Buffer.from(injection).toString("base64") } }])
    await assert.rejects(client.messages.create(ask([block, { type: "text", text: "What is the weather?" }])), (e) => e.error.error.content_filter_result.indirect_attack.detected);
});

test("a leaked key is masked", async () => {
  const { data, response } = await client.messages.create(ask("[[leak github-pat]]")).withResponse();
  assert.equal(data.content[0].text, MASKED);
  assert.equal(response.headers.get("x-vedette-verdict"), "redacted");
});

for (const chunk of [1, 3, 7, 60])
  test(`a leaked key is masked in a stream of ${chunk}-byte deltas cut anywhere`, async () => {
    const message = await client.messages.stream(ask(`[[leak github-pat]] [[chunk ${chunk}]] [[cut ${chunk}]]`)).finalMessage();
    assert.equal(message.content[0].text, MASKED);
    assert.equal(message.stop_reason, "end_turn");
  });

test("tools are called, streamed or not, and a key in their input is masked", async () => {
  for (const [content, expected] of calls) {
    const whole = await client.messages.create(ask(content, { tools }));
    assert.equal(whole.stop_reason, "tool_use");
    assert.deepEqual(whole.content.at(-1).input, { value: expected });
    const streamed = await client.messages.stream(ask(content, { tools })).finalMessage();
    assert.deepEqual(streamed.content.at(-1).input, { value: expected });
  }
});

test("a cut answer ends with a refusal", async () => {
  const whole = await client.messages.create(ask("[[leak github-pat]]", { model: "cutting" }));
  assert.equal(whole.content[0].text, CUT);
  assert.equal(whole.stop_reason, "refusal");
  for (const chunk of [1, 5, 60]) {
    const events = await collect(await client.messages.create(ask(`[[leak github-pat]] [[chunk ${chunk}]]`, { model: "cutting", stream: true })));
    assert.equal(textOf(events), CUT);
    assert.deepEqual(events.slice(-3).map((e) => e.type), ["content_block_stop", "message_delta", "message_stop"]);
    const message = await client.messages.stream(ask(`[[leak github-pat]] [[chunk ${chunk}]]`, { model: "cutting" })).finalMessage();
    assert.equal(message.stop_reason, "refusal");
    assert.equal(message.content[0].text, CUT);
  }
});

test("a cut in a tool's input", async () => {
  const events = await collect(await client.messages.create(ask("[[say one]] [[leak-in-tool github-pat]] [[chunk 5]]", { model: "cutting", tools, stream: true })));
  assert.doesNotMatch(events.filter((e) => e.delta?.partial_json).map((e) => e.delta.partial_json).join(""), TOKEN);
  assert.equal(events.at(-2).delta.stop_reason, "refusal");
});

test("a blocked answer shows no text", async () => {
  const r = await client.messages.create(ask("[[leak github-pat]]", { model: "blocking" }));
  assert.deepEqual([r.content, r.stop_reason], [[], "refusal"]);
});

test("errors keep their class, aborts end at once", async () => {
  await assert.rejects(client.messages.create(ask("hi", { model: "nowhere" })), (e) => e instanceof NotFoundError && e.error.error.type === "not_found_error");
  await assert.rejects(client.messages.create(ask("[[status 429]]")), RateLimitError);
  const begin = async () => {
    const stream = await client.messages.create(ask("[[long 400]] [[slow 20]]", { stream: true }));
    return [stream, () => stream.controller.abort()];
  };
  await aborts(assert, begin, (signal) => client.messages.create(ask("[[slow 3000]]"), { signal }));
});

test("what was inspected is what was sent", async () => {
  const body = ask("[[say ok]] mark-" + process.pid, { system: [{ type: "text", text: "be kind", cache_control: { type: "ephemeral" } }], future_member: { deep: [1, { x: null }] } });
  await client.messages.create(body);
  assert.deepEqual(received("mark-" + process.pid), body);
});

test("the model itself leaks (the tests do not pass because it is mute)", async () => {
  assert.match((await direct.messages.create(ask("[[leak github-pat]]"))).content[0].text, TOKEN);
});
