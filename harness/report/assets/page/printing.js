import { findAll } from "./dom.js";
import { plots } from "./plots.js";
import { drawAtOnce } from "./scheduling.js";

/** Pixels between the margins of a sheet of A4 or Letter, into which figures are scaled. */
const SHEET_WIDTH = 670;

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
    plot.style.setProperty("--on-paper", String(Math.min(1, SHEET_WIDTH / plot.clientWidth)));
  unfold(true);
}

/**
 * Open or close what is folded.
 * @param {boolean} open
 */
function unfold(open) {
  for (const details of findAll(FOLDED)) details.toggleAttribute("open", open);
}
