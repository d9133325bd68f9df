// generateContent through vedette, as a user of @google/genai sees it.
import { test } from "node:test";
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";
import { GATEWAY, MODEL, attack, injection, TOKEN, MASKED, CUT, calls, collect, received } from "./common.mjs";

const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: `http://${GATEWAY}`, retryOptions: { attempts: 1 } } }).models;
const direct = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: `http://${MODEL}` } }).models;
const tools = [{ functionDeclarations: [{ name: "save", description: "Saves a value", parametersJsonSchema: { type: "object" } }] }];
const ask = (contents, more) => ({ model: "gpt-4o", contents, ...more });
const textOf = (parts) => parts.map((p) => p.text ?? "").join("");

test("a clean answer is the model's, streamed or not", async () => {
  assert.match((await client.generateContent(ask("Good morning"))).text, /simulated model/);
  const parts = await collect(await client.generateContentStream(ask("[[say grün und größer]] [[chunk 3]]")));
  assert.equal(textOf(parts), "grün und größer");
  assert.equal(parts.at(-1).candidates[0].finishReason, "STOP");
});

test("a jailbreak is an ApiError with status 400", async () => {
  await assert.rejects(client.generateContent(ask(attack)), (e) => e.status === 400 && /content_filter/.test(e.message));
  await assert.rejects(client.generateContentStream(ask([{ role: "user", parts: [{ text: attack }] }])), (e) => e.status === 400);
});

test("function responses and text files are read for indirect attacks", async () => {
  for (const part of [{ functionResponse: { name: "weather", response: { result: injection } } }, { inlineData: { mimeType: "text/plain", data: Buffer.from(injection).toString("base64") } }])
    await assert.rejects(client.generateContent(ask([{ role: "user", parts: [part, { text: "What is the weather?" }] }])), (e) => e.status === 400 && /indirect_attack/.test(e.message));
});

test("a leaked key is masked, streamed or not", async () => {
  assert.equal((await client.generateContent(ask("[[leak github-pat]]"))).text, MASKED);
  for (const chunk of [1, 3, 7, 60]) assert.equal(textOf(await collect(await client.generateContentStream(ask(`[[leak github-pat]] [[chunk ${chunk}]] [[cut ${chunk}]]`)))), MASKED);
});

test("functions are called, streamed or not, and a key in their arguments is masked", async () => {
  for (const [contents, expected] of calls) {
    assert.deepEqual((await client.generateContent(ask(contents, { config: { tools } }))).functionCalls[0].args, { value: expected });
    const parts = await collect(await client.generateContentStream(ask(contents, { config: { tools } })));
    assert.deepEqual(parts.flatMap((p) => p.functionCalls ?? [])[0].args, { value: expected });
  }
});

test("a cut answer ends with SAFETY, a blocked one shows no text", async () => {
  const whole = await client.generateContent(ask("[[leak github-pat]]", { model: "cutting" }));
  assert.deepEqual([whole.text, whole.candidates[0].finishReason], [CUT, "SAFETY"]);
  for (const chunk of [1, 5, 60]) {
    const parts = await collect(await client.generateContentStream(ask(`[[leak github-pat]] [[chunk ${chunk}]]`, { model: "cutting" })));
    assert.deepEqual([textOf(parts), parts.at(-1).candidates[0].finishReason], [CUT, "SAFETY"]);
  }
  const blocked = await client.generateContent(ask("[[leak github-pat]]", { model: "blocking" }));
  assert.deepEqual([blocked.candidates[0].content.parts, blocked.candidates[0].finishReason], [[], "SAFETY"]);
});

test("errors have their status, an abort ends at once", async () => {
  await assert.rejects(client.generateContent(ask("hi", { model: "nowhere" })), (e) => e.status === 404);
  await assert.rejects(client.generateContent(ask("[[status 429]]")), (e) => e.status === 429);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 100);
  await assert.rejects(client.generateContent(ask("[[slow 3000]]", { config: { abortSignal: abort.signal } })));
});

test("what was inspected is what was sent", async () => {
  await client.generateContent(ask("[[say ok]] mark-" + process.pid, { config: { temperature: 0.5, systemInstruction: "be kind" } }));
  const sent = received("mark-" + process.pid);
  assert.equal(sent.contents[0].parts[0].text, "[[say ok]] mark-" + process.pid);
  assert.equal(sent.generationConfig.temperature, 0.5);
});

test("the model itself leaks (the tests do not pass because it is mute)", async () => {
  assert.match((await direct.generateContent(ask("[[leak github-pat]]"))).text, TOKEN);
});

test("annotations are ratings of the prompt, streamed or not", async () => {
  const rating = { category: "HARM_CATEGORY_JAILBREAK", probability: "NEGLIGIBLE", blocked: false };
  assert.deepEqual((await client.generateContent({ model: "annotating", contents: "Good morning" })).promptFeedback.safetyRatings, [rating]);
  const parts = await collect(await client.generateContentStream({ model: "annotating", contents: "[[say one two three]] [[chunk 3]]" }));
  assert.deepEqual(parts.map((p) => p.promptFeedback?.safetyRatings ?? null).filter(Boolean), [[rating]]);
});
