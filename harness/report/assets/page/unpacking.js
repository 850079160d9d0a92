import { get } from "./dom.js";

/**
 * Return whether the browser can unpack gzip by itself; all can since 2023.
 * @returns {boolean}
 */
export function canUnpack() {
  return typeof DecompressionStream !== "undefined";
}

/**
 * Return the text behind gzip in base64.
 * @param {string} packed
 * @returns {Promise<string>}
 */
async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/**
 * Return a figure that the page holds.
 * @param {string} key - the figure's name
 * @returns {Promise<Figure>}
 */
export async function unpackFigure(key) {
  return JSON.parse(await unpack(get(`[id="data-${CSS.escape(key)}"]`).textContent ?? ""));
}

/**
 * Unpack plotly.js, from the page itself or from the file beside published pages, and run it.
 *
 * It runs as a script within the page, so that the page's policy checks its hash whichever way it came.
 * @returns {Promise<boolean>} whether it runs: not where the file is missing or holds another version
 */
export async function loadPlotly() {
  const packed = globalThis.packedPlotly ?? document.getElementById("plotly")?.textContent;
  if (!packed) return false;
  const library = document.createElement("script");
  library.textContent = await unpack(packed);
  document.head.append(library);
  return "Plotly" in globalThis;
}
