import { armCount } from "./arms.js";
import { csvOf } from "./csv.js";
import { closest, find, get } from "./dom.js";
import { CONFIG, draw } from "./drawing.js";
import { isDrawn } from "./plots.js";
import { isDark } from "./theme.js";

/** Pixels of a millimetre and of a point, as CSS has them, and pixels of 600 dots an inch. */
const MM = 96 / 25.4;
const POINT = 96 / 72;
const DOTS = 600 / 96;

/** Points of the text in figures for print. */
const PRINT_TEXT = 7;

/** Let the buttons below every figure save it. */
export function startSaving() {
  document.addEventListener("click", async (event) => {
    const button = closest(event, "[data-save]");
    const figure = button?.closest("figure");
    if (!button || !figure) return;
    const plot = /** @type {PlotElement} */ (get(".plot", figure));
    await draw(plot);
    const format = button.dataset.save;
    if (format === "csv") saveFile(new Blob([csvOf(plot.data ?? [])], { type: "text/csv" }), `${plot.id}.csv`);
    if (format === "svg" || format === "png") await saveImage(plot, figure, format);
    if (format === "pdf") await printFigure(plot, figure);
  });
}

/**
 * Save a file.
 * @param {Blob} file
 * @param {string} name
 */
function saveFile(file, name) {
  const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(file) });
  link.click();
  // the browser reads the file after the click: it must still be there
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * Save a figure as it looks, or in the width of a column, on a background of its own.
 * @param {PlotElement} plot
 * @param {HTMLElement} figure
 * @param {"svg" | "png"} format
 */
async function saveImage(plot, figure, format) {
  if (!isDrawn(plot)) return;
  const sheet = sheetOf(plot, figure);
  // twice as many pixels as on the screen
  const scale = format === "svg" ? 1 : sheet.mm ? DOTS : 2;
  const url = await Plotly.toImage(sheet.drawn, { format, width: sheet.width, height: sheet.height, scale });
  const name = `${plot.id}${sheet.mm ? `-${sheet.mm}mm` : ""}.${format}`;
  if (format === "svg") saveFile(new Blob([svgOf(url, sheet)], { type: "image/svg+xml" }), name);
  else saveFile(await (await fetchLocal(url)).blob(), name);
}

/**
 * Return what a data URL holds; fetch() is refused by the page's policy.
 * @param {string} url
 */
async function fetchLocal(url) {
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes], { type: "image/png" }));
}

/**
 * Print a figure alone, on a sheet of its own size: browsers save that as PDF.
 * @param {PlotElement} plot
 * @param {HTMLElement} figure
 */
async function printFigure(plot, figure) {
  if (!isDrawn(plot)) return;
  const sheet = sheetOf(plot, figure);
  const url = await Plotly.toImage(sheet.drawn, { format: "svg", width: sheet.width, height: sheet.height, scale: 1 });
  const box = Object.assign(document.createElement("div"), { id: "sheet" });
  const drawing = new DOMParser().parseFromString(svgOf(url, sheet), "image/svg+xml").documentElement;
  const style = document.createElement("style");
  style.textContent = `@page { size: ${sheet.width / MM}mm ${sheet.height / MM}mm; margin: 0 }`;
  box.append(style, document.importNode(drawing, true));
  document.body.append(box);
  document.body.classList.add("one-figure");
  addEventListener("afterprint", () => {
    document.body.classList.remove("one-figure");
    box.remove();
  }, { once: true });
  window.print();
}

/**
 * A figure made ready for a file.
 * @typedef {object} Sheet
 * @property {{data: Trace[], layout: Layout, config: object}} drawn
 * @property {number} width - in pixels
 * @property {number} height
 * @property {number} mm - the chosen width; 0 for as on the screen
 */

/**
 * Return a figure for a file: in the chosen width, with a legend, since there are no chips beside it.
 * @param {PlotElement & {data: Trace[], layout: Layout}} plot
 * @param {HTMLElement} figure
 * @returns {Sheet}
 */
function sheetOf(plot, figure) {
  const mm = Number(/** @type {HTMLSelectElement | null} */ (find("[data-width]", figure))?.value ?? 0);
  const shown = plot.getBoundingClientRect();
  const background = mm || !isDark() ? "#fff" : "#12171d";
  const layout = { ...plot.layout, showlegend: armCount >= 2, paper_bgcolor: background };
  if (!mm) return { drawn: { data: plot.data, layout, config: CONFIG }, width: shown.width, height: shown.height, mm };
  const width = mm * MM;
  const height = Math.max(0.6 * width, Math.min(shown.height, width * (shown.height / shown.width) * 1.4));
  const size = PRINT_TEXT * POINT;
  const behind = find(".runs-behind", figure)?.textContent ?? "";
  const small = (plot.layout.annotations ?? []).map((note) => ({ ...note, font: { ...Object(note.font), size } }));
  const place = { xref: "paper", yref: "paper", x: 1, y: 1, xanchor: "right", yanchor: "bottom" };
  const annotations = [...small, { text: behind, showarrow: false, ...place, font: { size } }];
  const font = { ...layout.font, size, color: "#000" };
  /** @type {Layout} */
  const printed = { ...layout, width, height, autosize: false, font, annotations };
  for (const name of Object.keys(printed).filter((key) => /^[xy]axis/.test(key)))
    printed[name] = { ...printed[name], title: { ...printed[name].title, font: { size } }, tickfont: { size } };
  return { drawn: { data: plot.data.map(thinner), layout: printed, config: CONFIG }, width, height, mm };
}

/**
 * Return a trace with lines and marks for a narrow figure.
 * @param {Trace} trace
 * @returns {Trace}
 */
function thinner(trace) {
  const { line, marker } = trace;
  const lines = line?.width ? { line: { ...line, width: Math.max(0.5, line.width / 2) } } : {};
  const marks = typeof marker?.size === "number" ? { marker: { ...marker, size: marker.size / 2 } } : {};
  return { ...trace, ...lines, ...marks };
}

/**
 * Return the text of an image, its size in millimetres where that was chosen.
 * @param {string} url
 * @param {Sheet} sheet
 * @returns {string}
 */
function svgOf(url, { height, mm }) {
  const text = decodeURIComponent(url.slice(url.indexOf(",") + 1));
  if (!mm) return text;
  return text.replace(/<svg([^>]*?) width="[^"]*" height="[^"]*"/, (_, before) =>
    `<svg${before} width="${mm}mm" height="${(height / MM).toFixed(2)}mm"`);
}
