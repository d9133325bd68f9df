// Realtime sessions through vedette: the openai package's own client (GA and preview, OpenAI and Azure), and bare WebSockets.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import tls from "node:tls";
import WebSocket from "ws";
import OpenAI, { AzureOpenAI } from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { OpenAIRealtimeWS as PreviewRealtimeWS } from "openai/beta/realtime/ws";
import { GATEWAY, CONTROL, MODEL, ECHO, STATE, attack, injection, TOKEN, MASKED, CUT } from "./common.mjs";

const host = `localhost:${GATEWAY.split(":")[1]}`;
const openai = new OpenAI({ baseURL: `https://${host}/v1`, apiKey: "k" });
const azure = new AzureOpenAI({ endpoint: `https://${host}`, apiKey: "k", apiVersion: "2025-04-01-preview" });
const tools = [{ type: "function", name: "save", description: "Saves a value.", parameters: { type: "object", properties: { value: { type: "string" } } } }];

const kinds = {
  "openai, GA": { open: async (model) => new OpenAIRealtimeWS({ model }, openai), ways: "output_modalities", delta: "response.output_text.delta", spoken: "response.output_audio_transcript" },
  "openai, preview": { open: async (model) => new PreviewRealtimeWS({ model }, openai), ways: "modalities", delta: "response.text.delta", spoken: "response.audio_transcript" },
  "azure, GA": { open: (model) => OpenAIRealtimeWS.azure(azure, { deploymentName: model }), ways: "output_modalities", delta: "response.output_text.delta", spoken: "response.output_audio_transcript" },
  "azure, preview": { open: (model) => PreviewRealtimeWS.azure(azure, { deploymentName: model }), ways: "modalities", delta: "response.text.delta", spoken: "response.audio_transcript" },
};

/** A session: what came, and a promise for the next event of a type. */
async function begin(kind, model, session = {}, ways = ["text"]) {
  const rt = await kind.open(model);
  const s = { rt, events: [], errors: [], waiting: [], closed: null };
  rt.socket.on("upgrade", (res) => (s.headers = res.headers));
  rt.on("event", (e) => {
    s.events.push(e);
    s.waiting = s.waiting.filter((w) => !(w.type === e.type && (w.done(e), true)));
  });
  rt.on("error", (e) => s.errors.push(e));
  const end = new Promise((done) => rt.socket.on("close", (code, reason) => done((s.closed = { code, reason: String(reason) }))));
  s.end = end;
  s.next = (type) =>
    new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no ${type} in ${JSON.stringify(s.events.map((e) => e.type))}`)), 8000);
      s.waiting.push({ type, done: (e) => (clearTimeout(timer), done(e)) });
    });
  const created = s.next("session.created");
  await created;
  const updated = s.next("session.updated");
  rt.send({ type: "session.update", session: { type: "realtime", [kind.ways]: ways, ...session } });
  await updated;
  s.say = (text) => rt.send({ type: "conversation.item.create", item: { type: "message", role: "user", content: [{ type: "input_text", text }] } });
  s.ask = async (text) => {
    const from = s.events.length, done = s.next("response.done");
    if (text) s.say(text);
    rt.send({ type: "response.create" });
    return { done: await done, events: s.events.slice(from) };
  };
  s.stop = async () => (rt.close(), await end);
  return s;
}

const joined = (events, type) => events.filter((e) => e.type === type).map((e) => e.delta).join("");
const received = (mark) => readFileSync(ECHO, "utf8").split("\n").some((l) => l.includes(mark));

for (const [name, kind] of Object.entries(kinds)) {
  test(`${name}: a clean conversation of two turns`, async () => {
    const s = await begin(kind, "gpt-4o", { instructions: "Be kind." });
    for (const words of ["grün und größer", "auf Wiedersehen"]) {
      const { done, events } = await s.ask(`[[say ${words}]] [[chunk 3]]`);
      assert.equal(joined(events, kind.delta), words);
      assert.equal(done.response.status, "completed");
      assert.equal(done.response.output[0].content[0].text, words);
    }
    assert.match(s.headers["x-vedette-interaction"], /^[0-9a-f]{32}$/);
    assert.equal(s.headers["x-vedette-verdict"], "allow");
    assert.deepEqual(s.errors, []);
    assert.equal((await s.stop()).code, 1000);
  });

  test(`${name}: a jailbreak is an error event, what is asked for next has no answer, and the session goes on`, async () => {
    const s = await begin(kind, "gpt-4o");
    const { done } = await s.ask(attack);
    const error = s.events.find((e) => e.type === "error").error;
    assert.equal(error.code, "content_filter");
    assert.deepEqual(error.content_filter_result.jailbreak, { detected: true, filtered: true });
    assert.equal(done.response.status, "incomplete");
    assert.equal(done.response.status_details.reason, "content_filter");
    assert.equal(s.errors.length, 1);
    assert.equal(joined((await s.ask("[[say still here]]")).events, kind.delta), "still here");
    await s.stop();
  });

  for (const chunk of [1, 7, 60])
    test(`${name}: a leaked key is masked in every event, ${chunk} bytes a delta, frames in fragments`, async () => {
      const s = await begin(kind, "gpt-4o");
      const { done, events } = await s.ask(`[[leak github-pat]] [[chunk ${chunk}]] [[cut ${chunk}]]`);
      assert.equal(joined(events, kind.delta), MASKED);
      assert.doesNotMatch(JSON.stringify(events), TOKEN);
      assert.equal(done.response.output[0].content[0].text, MASKED);
      await s.stop();
    });

  test(`${name}: a spoken key is masked in the transcript, and no sound follows it`, async () => {
    const s = await begin(kind, "gpt-4o", {}, ["audio"]);
    const { events } = await s.ask("[[leak github-pat]] [[chunk 6]]");
    assert.equal(joined(events, `${kind.spoken}.delta`), MASKED);
    assert.equal(events.find((e) => e.type === `${kind.spoken}.done`).transcript, MASKED);
    assert.doesNotMatch(JSON.stringify(events), TOKEN);
    const masked = events.findIndex((e) => e.delta?.includes("REDACTED"));
    assert.ok(events.slice(0, masked).some((e) => /audio\.delta$/.test(e.type)));
    assert.ok(!events.slice(masked).some((e) => /audio\.delta$/.test(e.type)));
    await s.stop();
  });

  test(`${name}: an answer is cut`, async () => {
    const s = await begin(kind, "cutting");
    const { done, events } = await s.ask("[[leak github-pat]] [[chunk 5]]");
    assert.equal(joined(events, kind.delta), CUT);
    assert.equal(done.response.status, "incomplete");
    assert.equal(done.response.status_details.reason, "content_filter");
    assert.equal(done.response.output[0].content[0].text, CUT);
    assert.equal(joined((await s.ask("[[say next]]")).events, kind.delta), "next");
    await s.stop();
  });

  test(`${name}: tools are called, and a key in their arguments is masked`, async () => {
    const s = await begin(kind, "gpt-4o", { tools });
    for (const [text, value] of [['[[tool save {"value": "a b"}]] [[chunk 2]]', "a b"], ["[[leak-in-tool github-pat]] [[chunk 5]]", "[REDACTED:github-pat]"]]) {
      const { done, events } = await s.ask(text);
      assert.deepEqual(JSON.parse(joined(events, "response.function_call_arguments.delta")), { value });
      assert.deepEqual(JSON.parse(events.find((e) => e.type === "response.function_call_arguments.done").arguments), { value });
      assert.deepEqual(JSON.parse(done.response.output[0].arguments), { value });
    }
    s.rt.send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: "call_0_0", output: injection } });
    assert.equal((await s.next("error")).error.content_filter_result.indirect_attack.filtered, true);
    await s.stop();
  });

  test(`${name}: what the user is heard saying is read`, async () => {
    const s = await begin(kind, "gpt-4o");
    s.rt.send({ type: "input_audio_buffer.append", audio: Buffer.from(attack).toString("base64") });
    const error = s.next("error");
    s.rt.send({ type: "input_audio_buffer.commit" });
    assert.equal((await error).error.code, "content_filter");
    const { done } = await s.ask();
    assert.equal(done.response.status, "incomplete");
    await s.stop();
  });

  test(`${name}: where nothing may pass unread, words do and sound does not`, async () => {
    const s = await begin(kind, "closed");
    assert.equal(joined((await s.ask("[[say only words]]")).events, kind.delta), "only words");
    s.rt.send({ type: "input_audio_buffer.append", audio: "AAAAAAAA" });
    const { code, reason } = await s.end;
    assert.equal(code, 1008);
    assert.match(reason, /^Audio cannot be inspected/);
    assert.match(s.events.at(-1).error.message, /refuses what is not inspected/);
  });

  test(`${name}: where nothing may pass unread, who asks for sound is told before the model is asked`, async () => {
    for (const event of [{ type: "response.create" }, { type: "session.update", session: { type: "realtime", [kind.ways]: ["audio"] } }]) {
      const rt = await kind.open("closed");
      const said = [];
      rt.on("event", (e) => said.push(e));
      rt.on("error", () => {});
      const end = new Promise((done) => rt.socket.on("close", (code, reason) => done({ code, reason: String(reason) })));
      await new Promise((done) => rt.on("session.created", done));
      rt.send(event);
      const { code, reason } = await end;
      assert.equal(code, 1008);
      assert.match(reason, /^Audio cannot be inspected/);
      assert.deepEqual(said.map((e) => e.type), ["session.created", "error"]);
      assert.match(said[1].error.message, /output_modalities \["text"\]/);
    }
  });
}

test("a secret in what the client says is masked on its way", async () => {
  const s = await begin(kinds["openai, GA"], "masking");
  const { events } = await s.ask("[[leak github-pat]]");
  const token = "ghp_" + "q8Zr4Lw1Xv7Np2Kd9Jb3mT6yHc5sFa0b";
  s.say(`[[echo]] mark-of-this-test password: ${token}`);
  s.rt.send({ type: "response.create" });
  await s.next("response.done");
  assert.ok(events.length > 0);
  assert.ok(received("mark-of-this-test") && !received(token));
  await s.stop();
});

test("handshakes that cannot be are refused in words", async () => {
  const refused = (path) =>
    new Promise((done, fail) => {
      const ws = new WebSocket(`wss://${host}${path}`);
      ws.on("open", () => fail(new Error("it was let through")));
      ws.on("error", () => {});
      ws.on("unexpected-response", async (_, res) => {
        let body = "";
        for await (const piece of res) body += piece;
        done({ status: res.statusCode, error: JSON.parse(body).error });
        ws.terminate();
      });
    });
  assert.equal((await refused("/v1/realtime?model=nowhere")).error.code, "DeploymentNotFound");
  assert.equal((await refused("/elsewhere/realtime?model=gpt-4o")).status, 409);
  const sound = await refused("/v1/realtime?intent=transcription&model=closed");
  assert.equal(sound.status, 409);
  assert.match(sound.error.message, /^Sessions of audio cannot be inspected/);
  const plain = await fetch(`https://${host}/v1/realtime?model=gpt-4o`);
  assert.equal(plain.status, 409);
  assert.match((await plain.json()).error.message, /WebSocket handshake/);
});

test("extensions are declined, subprotocols are not", async () => {
  const ws = new WebSocket(`wss://${host}/openai/realtime?deployment=gpt-4o`, ["realtime", "openai-insecure-api-key.k"], { perMessageDeflate: true });
  await new Promise((done, fail) => (ws.on("open", done), ws.on("error", fail)));
  assert.equal(ws.extensions, "");
  assert.equal(ws.protocol, "realtime");
  const pong = new Promise((done) => ws.on("pong", (data) => done(String(data))));
  ws.ping("are you there");
  assert.equal(await pong, "are you there");
  ws.send("no json");
  const [error] = await new Promise((done) => {
    const seen = [];
    ws.on("message", (m) => JSON.parse(m).type === "error" && (seen.push(JSON.parse(m)), done(seen)));
  });
  assert.equal(error.error.type, "invalid_request_error");
  ws.close(1000);
  await new Promise((done) => ws.on("close", done));
});

test("frames in the same bytes as the handshake are read too", async () => {
  const text = Buffer.from(JSON.stringify({ type: "conversation.item.create", item: { type: "message", role: "user", content: [{ type: "input_text", text: attack }] } }));
  const frame = Buffer.concat([Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0]), text]);
  const socket = tls.connect({ port: +GATEWAY.split(":")[1], host: "127.0.0.1", servername: "localhost" });
  await new Promise((done) => socket.on("secureConnect", done));
  socket.write(Buffer.concat([Buffer.from(`GET /v1/realtime?model=gpt-4o HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`), frame]));
  let got = "";
  await new Promise((done) => socket.on("data", (d) => ((got += d), got.includes("content_filter") && done())));
  assert.match(got, /^HTTP\/1\.1 101 /);
  assert.match(got, /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
  socket.destroy();
});

test("every turn has a record, and attacks raise alerts", async () => {
  const token = readFileSync(`${STATE}/state/admin.token`, "utf8").trim();
  const list = `http://${CONTROL}/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Security/alerts?api-version=2022-01-01`;
  for (let i = 0; ; i++) {
    const { value } = await (await fetch(list, { headers: { authorization: `Bearer ${token}` } })).json();
    const types = value.map((a) => a.properties.alertType);
    if (types.includes("AI.Azure_CredentialTheftAttempt") && types.includes("AI.Azure_Jailbreak.ContentFiltering.BlockedAttempt")) break;
    assert.ok(i < 50, JSON.stringify(types));
    await new Promise((done) => setTimeout(done, 100));
  }
});
