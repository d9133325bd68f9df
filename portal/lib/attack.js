// Addresses of tactics and techniques at MITRE. Only names of the known form become links; the links are opened by a person, nothing is loaded.
import { html } from "./html.js";
import { Outside } from "./ui.js";
import { Seen } from "./visible.js";

const tactics = { Reconnaissance: "TA0043", ResourceDevelopment: "TA0042", InitialAccess: "TA0001", Execution: "TA0002", Persistence: "TA0003", PrivilegeEscalation: "TA0004", DefenseEvasion: "TA0005",
  CredentialAccess: "TA0006", Discovery: "TA0007", LateralMovement: "TA0008", Collection: "TA0009", CommandAndControl: "TA0011", Exfiltration: "TA0010", Impact: "TA0040" };

export function address(name) {
  if (Object.hasOwn(tactics, name)) return `https://attack.mitre.org/tactics/${tactics[name]}/`;
  if (/^T\d{4}(\.\d{3})?$/.test(name)) return `https://attack.mitre.org/techniques/${name.replace(".", "/")}/`;
  return /^AML\.T\d{4}(\.\d{3})?$/.test(name) ? `https://atlas.mitre.org/techniques/${name}` : "";
}

const spaced = (name) => name.replace(/([a-z])([A-Z])/g, "$1 $2");

export function Techniques({ label, names }) {
  if (!names.length) return null;
  return html`<p><strong>${label}</strong> ${names.map((n, i) => html`${i > 0 && ", "}${address(n) ? html`<${Outside} href=${address(n)}>${spaced(n)}<//>` : html`<${Seen} text=${n} />`}`)}</p>`;
}

export const list = (text) => String(text || "").split(",").map((t) => t.trim()).filter(Boolean);
