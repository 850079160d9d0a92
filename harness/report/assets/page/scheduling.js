import { draw } from "./drawing.js";
import { plots } from "./plots.js";

/** How far below the screen a figure is drawn before it is scrolled to. */
const AHEAD = "600px";

/** How long the page waits before it draws what nobody has scrolled to, in milliseconds. */
const REST = 1500;

/** Draw each figure when it comes near the screen, and all of them before printing and when there is time. */
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
  addEventListener("beforeprint", drawAll);
  // Safari has no requestIdleCallback
  (globalThis.requestIdleCallback ?? setTimeout)(() => setTimeout(drawAll, REST));
}

/** Draw all figures one after the other, so that the page can be used in between. */
async function drawAll() {
  for (const plot of plots) await draw(plot);
}
