// Where the user is, in the fragment: "#/alerts?state=Active". Fragments are not sent to servers, so no filter with a user's name is in a log.
import { useEffect, useState } from "./html.js";

function safeDecode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

// {path: "/alerts", segments: ["alerts"], query: URLSearchParams}
export function here() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  return { path: path || "/", segments: path.split("/").filter(Boolean).map(safeDecode), query: new URLSearchParams(query) };
}

// Half of a surrogate pair cannot stand in an address.
const whole = (text) => String(text).toWellFormed?.() ?? String(text);

// An address inside the portal. Every part is encoded: parts may be what a client sent.
export function to(segments, query = {}) {
  const q = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== "" && v !== undefined && v !== null)).toString();
  return "#/" + segments.map((s) => encodeURIComponent(whole(s))).join("/") + (q ? "?" + q : "");
}

export function go(address) {
  location.hash = address;
}

// Changes the query without a step in the history: typing into a filter is not a journey.
export function setQuery(changes) {
  const { segments, query } = here();
  for (const [k, v] of Object.entries(changes)) v === "" || v === undefined || v === null ? query.delete(k) : query.set(k, v);
  history.replaceState(null, "", to(segments, Object.fromEntries(query)));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute() {
  const [route, set] = useState(here);
  useEffect(() => {
    const moved = () => set(here());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return route;
}
