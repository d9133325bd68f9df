// The ai package with its OpenAI and Anthropic providers, and @langchain/openai: what stands between most applications and a model.
import { test } from "node:test";
import assert from "node:assert/strict";
import { generateText, streamText, jsonSchema, tool } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { GATEWAY, attack, MASKED, CUT, schema, calls, collect, aborts } from "./common.mjs";

const baseURL = `http://${GATEWAY}/v1`;
const openai = createOpenAI({ baseURL, apiKey: "k" });
const anthropic = createAnthropic({ baseURL, apiKey: "k" });
const models = { "openai.chat": (m) => openai.chat(m), "openai.responses": (m) => openai.responses(m), anthropic: (m) => anthropic(m) };
const FILTERED = ["content-filter", "other"];

for (const [name, model] of Object.entries(models)) {
  const ask = (prompt, on = "gpt-4o", more = {}) => ({ model: model(on), prompt, maxRetries: 0, ...more });
  // The stream of the package reports errors in its parts.
  const read = async (args) => {
    const parts = await collect(streamText({ ...args, onError: () => {} }).fullStream);
    const error = parts.find((p) => p.type === "error");
    return { error: error?.error, text: parts.filter((p) => p.type === "text-delta").map((p) => p.text).join(""), calls: parts.filter((p) => p.type === "tool-call"), reason: parts.findLast((p) => p.type === "finish")?.finishReason };
  };

  test(`ai, ${name}: a clean answer is the model's, streamed or not`, async () => {
    assert.match((await generateText(ask("Good morning"))).text, /simulated model/);
    const r = await read(ask("[[say grün und größer]] [[chunk 3]]"));
    assert.deepEqual([r.error, r.text, r.reason], [undefined, "grün und größer", "stop"]);
  });

  test(`ai, ${name}: a jailbreak is an APICallError with status 400`, async () => {
    await assert.rejects(generateText(ask(attack)), (e) => e.name === "AI_APICallError" && e.statusCode === 400 && /content policy/.test(e.message));
    const r = await read(ask(attack));
    assert.equal(r.error.statusCode, 400);
  });

  test(`ai, ${name}: a leaked key is masked`, async () => {
    assert.equal((await generateText(ask("[[leak github-pat]]"))).text, MASKED);
    for (const chunk of [1, 7, 60]) assert.equal((await read(ask(`[[leak github-pat]] [[chunk ${chunk}]] [[cut ${chunk}]]`))).text, MASKED);
  });

  test(`ai, ${name}: a cut answer ends with its reason`, async () => {
    const r = await generateText(ask("[[leak github-pat]]", "cutting"));
    assert.equal(r.text.trim(), CUT.trim());
    assert.ok(FILTERED.includes(r.finishReason), r.finishReason);
    const s = await read(ask("[[leak github-pat]] [[chunk 5]]", "cutting"));
    assert.deepEqual([s.error, s.text], [undefined, CUT]);
    assert.ok(FILTERED.includes(s.reason), s.reason);
  });

  test(`ai, ${name}: tools are called, and a key in their input is masked`, async () => {
    for (const [prompt, expected] of calls) {
      const tools = { save: tool({ description: "Saves a value", inputSchema: jsonSchema(schema) }) };
      assert.deepEqual((await generateText(ask(prompt, "gpt-4o", { tools }))).toolCalls[0].input, { value: expected });
      const s = await read(ask(prompt, "gpt-4o", { tools }));
      assert.deepEqual(s.calls[0]?.input, { value: expected });
    }
  });

  test(`ai, ${name}: an abort ends at once`, async () => {
    const abort = new AbortController();
    await aborts(assert, async () => [streamText(ask("[[long 400]] [[slow 20]]", "gpt-4o", { abortSignal: abort.signal, onError: () => {} })).fullStream, () => abort.abort()]);
  });
}

for (const useResponsesApi of [false, true]) {
  const chat = (model) => new ChatOpenAI({ model, apiKey: "k", configuration: { baseURL }, maxRetries: 0, useResponsesApi });
  const textOf = (m) => (typeof m.content === "string" ? m.content : m.content.map((c) => c.text ?? "").join(""));
  const name = `langchain, ${useResponsesApi ? "responses" : "chat completions"}`;

  test(`${name}: clean, masked and cut answers, streamed or not`, async () => {
    for (const [model, prompt, expected] of [["gpt-4o", "[[say grün]] [[chunk 2]]", "grün"], ["gpt-4o", "[[leak github-pat]] [[chunk 5]]", MASKED], ["cutting", "[[leak github-pat]] [[chunk 5]]", CUT]]) {
      assert.equal(textOf(await chat(model).invoke(prompt)), expected);
      assert.equal((await collect(await chat(model).stream(prompt))).map(textOf).join(""), expected);
    }
  });

  test(`${name}: a jailbreak is an error with status 400`, async () => {
    await assert.rejects(chat("gpt-4o").invoke(attack), (e) => e.status === 400 && e.code === "content_filter");
    await assert.rejects(async () => collect(await chat("gpt-4o").stream(attack)), (e) => e.status === 400);
  });

  test(`${name}: tools are called, and a key in their arguments is masked`, async () => {
    for (const [prompt, expected] of calls) {
      const bound = chat("gpt-4o").bindTools([{ type: "function", function: { name: "save", description: "Saves a value", parameters: schema } }]);
      assert.deepEqual((await bound.invoke(prompt)).tool_calls[0].args, { value: expected });
      const parts = await collect(await bound.stream(prompt));
      assert.deepEqual(parts.reduce((a, b) => a.concat(b)).tool_calls[0].args, { value: expected });
    }
  });
}

test("langchain, embeddings: numbers come back, an attack is stopped", async () => {
  const embeddings = new OpenAIEmbeddings({ model: "gpt-4o", apiKey: "k", configuration: { baseURL }, maxRetries: 0, encodingFormat: "float" });
  assert.ok((await embeddings.embedQuery("a sentence")).length > 0);
  await assert.rejects(embeddings.embedQuery(attack), (e) => e.status === 400);
});
