// What changes by itself: loading with a state for each outcome, polling while somebody looks, and words for screen readers.
import { html, useEffect, useRef, useState } from "./html.js";

let say = () => {};

// Tells screen readers, and shows it for some seconds. For what a user did or what arrived, not for every number.
export function announce(text) {
  say(text);
}

export function LiveRegion() {
  const [text, set] = useState("");
  useEffect(() => {
    let timer;
    say = (t) => { set(t); clearTimeout(timer); timer = setTimeout(() => set(""), 8000); };
    return () => clearTimeout(timer);
  }, []);
  return html`<div class=${text ? "toast" : "toast hidden"} role="status" aria-live="polite">${text}</div>`;
}

// const {data, error, busy, reload} = useLoad((signal) => api.get(…, signal), [what it depends on], 5000)
// Keeps the old data while new is on its way. every: milliseconds between polls; none while the page is hidden. A failed poll keeps the data and sets error.
export function useLoad(load, deps, every = 0) {
  const [state, set] = useState({ busy: true });
  const [round, again] = useState(0);
  const last = useRef(0);
  useEffect(() => {
    const control = new AbortController();
    let timer;
    const run = async () => {
      if (document.hidden && last.current) return next();
      try {
        const data = await load(control.signal);
        if (!control.signal.aborted) set({ data, busy: false, at: Date.now() });
        last.current = Date.now();
      } catch (error) {
        if (!control.signal.aborted) set((old) => ({ ...old, error, busy: false }));
      }
      next();
    };
    const next = () => { if (every && !control.signal.aborted) timer = setTimeout(run, every); };
    set((old) => ({ ...old, busy: true }));
    run();
    return () => { control.abort(); clearTimeout(timer); };
  }, [...deps, round]);
  return { ...state, reload: () => again((n) => n + 1) };
}
