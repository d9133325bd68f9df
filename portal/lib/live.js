// What changes by itself: loading with a state for each outcome, being told or polling while somebody looks, and words for screen readers.
import { html, useEffect, useRef, useState } from "./html.js";
import { useKeys } from "./keys.js";
import { isLive, onPush } from "./push.js";

let say = () => {};

// Tells screen readers, and shows it for some seconds. For what a user did or what arrived, not for every number. undo: takes it back, once.
export function announce(text, undo = null) {
  say({ text, undo });
}

export function LiveRegion() {
  const [{ text, undo }, set] = useState({ text: "" });
  const timer = useRef();
  useEffect(() => {
    say = (said) => { set(said); clearTimeout(timer.current); timer.current = setTimeout(() => set({ text: "" }), said.undo ? 15000 : 8000); };
    return () => clearTimeout(timer.current);
  }, []);
  const take = () => { if (undo) { set({ text: "" }); undo(); } };
  useKeys([["z", "take the last change back, while that is offered", take]]);
  return html`<div class=${text ? "toast row" : "toast hidden"}><span role="status" aria-live="polite">${text}</span>${undo && html`<button type="button" onClick=${take}>Undo <kbd class="wide">z</kbd></button>`}</div>`;
}

const QUIET_MS = 60000, SOON_MS = 2000; // between polls while changes are told; and at least, however much changes

// const {data, error, busy, at, reload} = useLoad((signal) => api.get(…, signal), [what it depends on], 5000, {push: true})
// Keeps the old data while new is on its way. every: milliseconds between polls; none while the page is hidden. A failed poll keeps the data and sets error.
// push: it is about alerts: asks when they have changed, and seldom by itself while that is told. take(old, fresh): what to make of fresh data that was not
// asked for by the reader.
export function useLoad(load, deps, every = 0, { push = false, take } = {}) {
  const [state, set] = useState({ busy: true });
  const [round, again] = useState(0);
  const last = useRef(0);
  useEffect(() => {
    const control = new AbortController();
    let timer, soon, running = false, missed = false, first = true;
    const run = async () => {
      if (running) { missed = true; return; }
      clearTimeout(timer);
      if (document.hidden && last.current) return next();
      running = true;
      try {
        const fresh = await load(control.signal), own = first;
        first = false;
        if (!control.signal.aborted) set((old) => ({ data: take && !own && old.data !== undefined ? take(old.data, fresh) : fresh, busy: false, at: Date.now() }));
        last.current = Date.now();
      } catch (error) {
        if (!control.signal.aborted) set((old) => ({ ...old, error, busy: false }));
      }
      running = false;
      if (missed && !control.signal.aborted) { missed = false; return run(); }
      next();
    };
    const next = () => { if (every && !control.signal.aborted) timer = setTimeout(run, push && isLive() ? QUIET_MS : every); };
    set((old) => ({ ...old, busy: true }));
    run();
    // Also when telling begins: what changed between the last answer and then is told by nobody.
    const told = () => { clearTimeout(soon); soon = setTimeout(run, Math.max(0, last.current + SOON_MS - Date.now())); };
    const off = push && every ? onPush(told) : null;
    return () => { control.abort(); clearTimeout(timer); clearTimeout(soon); off?.(); };
  }, [...deps, round]);
  return { ...state, reload: () => again((n) => n + 1) };
}
