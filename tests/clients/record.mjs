// Loaded before a program of tests (node --import): writes each answer of the control API that it gets to ANSWERS, a line of JSON each, for
// tests/api/described.py. Neither fetch nor the clients' own http notice.
import { appendFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

const { ANSWERS, CONTROL = "" } = process.env;
const control = CONTROL.replace(/^https?:\/\//, "");

export function record(method, url, status, type, body) {
  appendFileSync(ANSWERS, JSON.stringify({ method, path: url, status, type: type ?? "", body }) + "\n");
}

if (ANSWERS && control) {
  const ask = globalThis.fetch;
  globalThis.fetch = async (input, init = {}) => {
    const answer = await ask(input, init), url = new URL(typeof input === "string" ? input : input.url ?? String(input));
    const type = answer.headers.get("content-type");
    if (url.host === control && answer.type !== "opaqueredirect" && !type?.includes("event-stream"))
      record(init.method ?? input.method ?? "GET", url.pathname + url.search, answer.status, type, await answer.clone().text());
    return answer;
  };
  for (const module of [http, https]) {
    const request = module.request;
    module.request = (...args) => {
      const r = request(...args);
      r.prependListener("response", (answer) => {
        if (r.getHeader("host") !== control || answer.headers["content-type"]?.includes("event-stream")) return;
        const pieces = [], push = answer.push;
        answer.push = (piece, coding) => {
          if (piece) pieces.push(Buffer.from(piece, coding));
          else record(r.method, r.path, answer.statusCode, answer.headers["content-type"], Buffer.concat(pieces).toString());
          return push.call(answer, piece, coding);
        };
      });
      return r;
    };
  }
}
