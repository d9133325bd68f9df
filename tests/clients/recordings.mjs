// Every recording with a .seen file (tests/wire/conversations) as its provider's client gets it through vedette. A replaying upstream sends what tests/wire says
// has to leave, with a real key wherever a mask stands: the client must be able to read the answer, and find a mask in each of these places.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { Ollama } from "ollama";
import { GATEWAY, key } from "./common.mjs";

const root = `${process.env.VEDETTE_SRC}/tests/wire/conversations`;
const KEY = key(7), MASK = "[REDACTED:github-pat]";
const types = { json: "application/json", sse: "text/event-stream", lines: "application/x-ndjson" };

const recording = (name) => readFileSync(existsSync(`${root}/${name}.out`) ? `${root}/${name}.out` : `${root}/${name}`, "utf8");

// The name of the recording is what the user says.
const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const name = /[a-z-]+\/[a-z0-9-]+\.(json|sse|lines)/.exec(body)[0];
  const bytes = Buffer.from(recording(name).replaceAll("[X]", KEY));
  response.writeHead(200, { "content-type": types[name.split(".").at(-1)] });
  for (let at = 0; at < bytes.length; at += 97) response.write(bytes.subarray(at, at + 97));
  response.end();
});
before(() => new Promise((ok) => server.listen(+process.env.REPLAY.split(":")[1], "127.0.0.1", ok)));
after(() => server.close());

const base = `http://${GATEWAY}`;
const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: "k", maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: base, apiKey: "k", maxRetries: 0 });
const google = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: base, retryOptions: { attempts: 1 } } }).models;
const ollama = new Ollama({ host: base });
const user = (content) => [{ role: "user", content }];

// (name, streamed) => what the client makes of it; pieces of a stream go into `events` while they come.
const clients = {
  "openai-chat": (n, stream) => openai.chat.completions.create({ model: "replay", messages: user(n), stream }),
  "openai-completions": (n, stream) => openai.completions.create({ model: "replay", prompt: n, stream }),
  "openai-responses": (n, stream) => openai.responses.create({ model: "replay", input: n, stream }),
  anthropic: (n, stream) => anthropic.messages.create({ model: "replay", max_tokens: 99, messages: user(n), stream }),
  google: (n, stream) => (stream ? google.generateContentStream : google.generateContent)({ model: "replay", contents: n }),
  ollama: (n, stream) => n.includes("/generate") ? ollama.generate({ model: "replay", prompt: n, stream }) : ollama.chat({ model: "replay", messages: user(n), stream }),
};

async function read(format, name, stream, events) {
  const answer = await clients[format](name, stream);
  if (!stream) return events.push(answer);
  for await (const e of answer) events.push(e);
}

const gives_up = /error|overloaded/; // recordings in which the upstream does

for (const format of Object.keys(clients))
  for (const file of readdirSync(`${root}/${format}`).filter((f) => f.endsWith(".seen")).map((f) => f.slice(0, -5)))
    test(`${format}: ${file}`, async () => {
      const name = `${format}/${file}`, stream = !file.endsWith(".json"), events = [];
      const reading = read(format, name, stream, events);
      if (gives_up.test(file)) await assert.rejects(reading);
      else await reading;
      const got = JSON.stringify(events);
      assert.ok(events.length > 0);
      assert.ok(!got.includes(KEY.slice(4)), got);
      if (recording(name).includes("[X]")) assert.ok(got.includes(MASK), got);
    });

// The accumulating clients check that events fit together.
for (const file of readdirSync(`${root}/anthropic`).filter((f) => f.endsWith(".sse.seen") && !gives_up.test(f)).map((f) => f.slice(0, -5)))
  test(`anthropic, put together: ${file}`, async () => {
    const message = await anthropic.messages.stream({ model: "replay", max_tokens: 99, messages: user(`anthropic/${file}`) }).finalMessage();
    assert.ok(message.content.length > 0 && message.stop_reason);
  });
