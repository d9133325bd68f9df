// A time range of one's own: two fields, kept in the address. The fields are in the reader's zone, the address is in UTC: a link means the same for everybody.
import { html } from "./html.js";
import { fromField, toField } from "./time.js";

// A time of the address, if it is one: whoever made the address.
export const moment = (text) => (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : "");

export function Range({ query, ask }) {
  const field = (name, words) => html`<label>${words}<input type="datetime-local" name=${name} value=${toField(moment(query.get(name) || ""))} onChange=${(e) => ask({ [name]: fromField(e.target.value) || "" })} /></label>`;
  return html`${field("from", "From")}${field("to", "To")}`;
}
