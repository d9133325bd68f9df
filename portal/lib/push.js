// Being told that alerts have changed (docs/api.md, "Events"), so that nobody asks every few seconds. One connection for the tab, while somebody looks at
// it: browsers have six to a host. Without it pages ask by themselves, as often as they would anyway.
const AGAIN_MS = 30000; // after the server would not have us
let source = null, timer = 0, live = false, watching = false;
const listeners = new Set();

function close() {
  source?.close();
  source = null;
  live = false;
  clearTimeout(timer);
}

function tell(what) {
  listeners.forEach((f) => f(what));
}

function open() {
  if (source || document.hidden || !listeners.size) return;
  clearTimeout(timer);
  source = new EventSource("/vedette/events");
  source.onopen = () => { live = true; tell("open"); };
  source.addEventListener("alerts", () => tell("changed"));
  // The browser comes again by itself, with what it heard last; where it was refused, it does not.
  source.onerror = () => {
    live = false;
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    timer = setTimeout(open, AGAIN_MS);
    tell("refused"); // it may be that the session is over: whoever asks now finds out
  };
}

// Whether changes are told now: then asking is only for what was lost on the way.
export const isLive = () => live;

// f("changed") when alerts have changed; f("open") when telling begins, as what happened before is not told; f("refused") when there is no telling.
export function onPush(f) {
  if (!watching) document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  watching = true;
  listeners.add(f);
  open();
  return () => {
    listeners.delete(f);
    if (!listeners.size) close();
  };
}
