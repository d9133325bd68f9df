// Times: shown in the zone of the person who looks, with UTC on hover and for screen readers' <time>. Stored times are UTC with a Z.
import { html } from "./html.js";

const full = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const brief = new Intl.DateTimeFormat(undefined, { month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const steps = [["year", 31536e6], ["month", 2592e6], ["day", 864e5], ["hour", 36e5], ["minute", 6e4], ["second", 1e3]];

export const utc = (date) => date.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");

export function relative(date, now = Date.now()) {
  const ms = date - now;
  const [unit, size] = steps.find(([, s]) => Math.abs(ms) >= s) || ["second", 1e3];
  return ago.format(Math.round(ms / size), unit);
}

// <${Time} at=${text} /> the moment; with `near`, also how long ago; with `short`, without this year.
export function Time({ at, near, short }) {
  const date = new Date(at);
  if (!at || Number.isNaN(date.getTime())) return html`<span>unknown</span>`;
  return html`<time datetime=${date.toISOString()} title=${utc(date)}>${(short && date.getFullYear() === new Date().getFullYear() ? brief : full).format(date)}${near && html`<span class="dim"> (${relative(date)})</span>`}</time>`;
}

// What <input type=datetime-local> has: no zone, so the reader's, and whole minutes.
export const toField = (time) => {
  if (!time) return "";
  const d = new Date(time);
  return new Date(d - d.getTimezoneOffset() * 6e4).toISOString().slice(0, 16);
};
export const fromField = (text) => (text ? new Date(text).toISOString().replace(/\.\d+/, "") : undefined);
