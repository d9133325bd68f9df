// What every file of the portal draws with, from one place, so that a library is exchanged here and nowhere else.
// Values in html`…` become text and attributes, never markup; dangerouslySetInnerHTML is used nowhere (a test looks, and the page's policy forbids it).
import { h, render, Component, Fragment } from "../vendor/preact.js";
import htm from "../vendor/htm.js";
export { useState, useEffect, useRef, useMemo, useCallback, useLayoutEffect, useErrorBoundary } from "../vendor/hooks.js";
export { h, render, Component, Fragment };
export const html = htm.bind(h);
