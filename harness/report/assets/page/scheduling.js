import { draw, prepare } from "./drawing.js";
import { plots } from "./plots.js";

/** How far below the screen a figure is drawn before it is scrolled to. */
const AHEAD = "600px";

/** How long the page waits before it draws what nobody has scrolled to, in milliseconds. */
const REST = 1500;

/** Draw each figure when it comes near the screen, and all of them when there is time. */
export function startDrawing() {
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      draw(/** @type {PlotElement} */ (target));
    }
  }, { rootMargin: AHEAD });
  for (const plot of plots) {
    plot.setAttribute("aria-busy", "true");
    near.observe(plot);
  }
  // Safari has no requestIdleCallback
  (globalThis.requestIdleCallback ?? setTimeout)(() => setTimeout(drawAll, REST));
}

/** Draw all figures one after the other, so that the page can be used in between. */
async function drawAll() {
  for (const plot of plots) await prepare(plot);
  for (const plot of plots) await draw(plot);
}

/** Draw all figures that nobody has scrolled to yet; those that are unpacked, before the call returns. */
export function drawAtOnce() {
  return Promise.all(plots.map(draw));
}
