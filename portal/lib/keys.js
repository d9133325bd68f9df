// Keyboard shortcuts. A page says useKeys([["j", "next alert", fn], …]); the overlay (?) lists what is in force now. Keys in fields stay letters, but
// for Escape, which leaves the field. Modifiers belong to the browser.
import { html, useEffect, useRef, useState } from "./html.js";

const sets = [];
let pending = ""; // the first of two keys, as in "g a"
let listening = false;

const inField = (e) => e.target.closest?.("input, textarea, select, [contenteditable]");

function press(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (inField(e)) return void (e.key === "Escape" && e.target.blur());
  // Buttons and links have their own Enter and blank.
  if ((e.key === "Enter" || e.key === " ") && e.target.closest?.("button, a, summary")) return;
  const tried = pending ? [pending + " " + e.key, e.key] : [e.key];
  pending = "";
  for (const key of tried)
    for (const set of [...sets].reverse())
      for (const [k, , fn] of set.current)
        if (k === key) { e.preventDefault(); return void fn(); }
  if (sets.some((s) => s.current.some(([k]) => k.startsWith(e.key + " ")))) pending = e.key;
}

export function useKeys(rows) {
  const set = useRef(rows);
  set.current = rows;
  useEffect(() => {
    if (!listening) addEventListener("keydown", press);
    listening = true;
    sets.push(set);
    return () => { sets.splice(sets.indexOf(set), 1); };
  }, []);
}

// A dialog that keeps the focus, closes with Escape and gives the focus back: the browser's own.
export function Dialog({ title, onClose, children }) {
  const ref = useRef();
  useEffect(() => {
    ref.current.showModal();
    ref.current.querySelector("[data-first]")?.focus();
    return () => ref.current?.close();
  }, []);
  return html`<dialog ref=${ref} aria-label=${title} onClose=${onClose} onCancel=${onClose}>
    <header class="row"><h2>${title}</h2><button type="button" class="quiet" onClick=${onClose} aria-label="Close">✕</button></header>${children}</dialog>`;
}

export function HelpOverlay() {
  const [open, set] = useState(false);
  useKeys([["?", "this help", () => set(true)]]);
  if (!open) return null;
  const rows = sets.flatMap((s) => s.current).filter(([, words]) => words);
  return html`<${Dialog} title="Keyboard" onClose=${() => set(false)}>
    <table class="plain"><tbody>${rows.map(([k, words]) => html`<tr key=${k}><th scope="row"><kbd>${k}</kbd></th><td>${words}</td></tr>`)}</tbody></table></${Dialog}>`;
}
