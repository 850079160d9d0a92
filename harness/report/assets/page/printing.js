import { findAll } from "./dom.js";
import { plots } from "./plots.js";
import { drawAtOnce } from "./scheduling.js";

/** Pixels between the margins of a sheet of A4 or Letter, into which figures are scaled. */
const SHEET_WIDTH = 670;

/** Pixels of a sheet that a figure may take, so that its title and caption stand on the same. */
const SHEET_HEIGHT = 840;

/** Pixels that each of two figures on a sheet may take, and the least scale to get there. */
const HALF_SHEET = 420;
const LEAST_SHRINKING = 0.8;

/** What is folded on the screen and belongs on paper: all claims, and all that the audit found. */
const FOLDED = "details.more, .audit details";

/** Draw every figure before the page is printed, whichever way that is asked for. */
export function startPrinting() {
  addEventListener("beforeprint", layOutForPaper);
  addEventListener("afterprint", () => unfold(false));
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "p") return;
    event.preventDefault();
    printWhenDrawn();
  });
  for (const button of findAll("[data-print]")) button.addEventListener("click", printWhenDrawn);
}

/** Open the print dialog once every figure is drawn. */
async function printWhenDrawn() {
  await drawAtOnce();
  window.print();
}

/** Draw what is missing, scale figures to the sheet, and unfold what is folded. */
function layOutForPaper() {
  drawAtOnce();
  for (const plot of plots)
    plot.style.setProperty("--on-paper", String(scaleOnPaper(plot.clientWidth, plot.clientHeight)));
  unfold(true);
}

/**
 * Return the scale at which a figure fits on a sheet, or on half of one if it nearly does.
 * @param {number} width
 * @param {number} height
 */
function scaleOnPaper(width, height) {
  const whole = Math.min(1, SHEET_WIDTH / width, SHEET_HEIGHT / height);
  const half = Math.min(whole, HALF_SHEET / height);
  return half >= LEAST_SHRINKING * whole ? half : whole;
}

/**
 * Open or close what is folded.
 * @param {boolean} open
 */
function unfold(open) {
  for (const details of findAll(FOLDED)) details.toggleAttribute("open", open);
}
