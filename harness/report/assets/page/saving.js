import { armCount } from "./arms.js";
import { csvOf } from "./csv.js";
import { closest, get } from "./dom.js";
import { CONFIG, draw } from "./drawing.js";
import { isDrawn } from "./plots.js";
import { isDark } from "./theme.js";

/** Let the buttons below every figure save it. */
export function startSaving() {
  document.addEventListener("click", async (event) => {
    const button = closest(event, "[data-save]");
    const figure = button?.closest("figure");
    if (!button || !figure) return;
    const plot = /** @type {PlotElement} */ (get(".plot", figure));
    await draw(plot);
    const format = button.dataset.save;
    if (format === "csv") saveCsv(plot);
    if (format === "svg" || format === "png") await saveImage(plot, format);
  });
}

/**
 * Save the numbers that a figure shows.
 * @param {PlotElement} plot
 */
function saveCsv(plot) {
  const file = new Blob([csvOf(plot.data ?? [])], { type: "text/csv" });
  const link = Object.assign(document.createElement("a"), {
    download: `${plot.id}.csv`,
    href: URL.createObjectURL(file),
  });
  link.click();
  // the browser reads the file after the click: it must still be there
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * Save a figure as it looks, on a background of its own.
 * @param {PlotElement} plot
 * @param {"svg" | "png"} format
 */
async function saveImage(plot, format) {
  if (!isDrawn(plot)) return;
  const { width, height } = plot.getBoundingClientRect();
  // an image has no chips beside it: the legend says what is what
  const layout = { ...plot.layout, showlegend: armCount >= 2, paper_bgcolor: isDark() ? "#12171d" : "#fff" };
  // twice as many pixels as on the screen, for print
  const scale = format === "png" ? 2 : 1;
  const options = { format, filename: plot.id, width, height, scale };
  await Plotly.downloadImage({ data: plot.data, layout, config: CONFIG }, options);
}
