import { find, get } from "./dom.js";
import { isDrawn, plots } from "./plots.js";

/** Milliseconds that playing takes from the first update to the last. */
const WHOLE = 9000;

/**
 * Return the slider below a figure; null where it does not move.
 * @param {PlotElement} plot
 * @returns {HTMLInputElement | null}
 */
function sliderOf(plot) {
  return /** @type {HTMLInputElement | null} */ (find(".film input", plot.closest("figure") ?? plot));
}

/**
 * Return traces whose ways end where the figure's slider stands, each with its head at that end.
 * @param {PlotElement} plot
 * @param {Trace[]} traces - with the whole ways; they are not changed
 * @param {number[]} [steps] - the updates that the slider goes over
 * @returns {Trace[]}
 */
export function cutWays(plot, traces, steps) {
  const slider = sliderOf(plot);
  if (!slider || !steps) return traces;
  const last = steps[Number(slider.value)];
  let count = 0;
  return traces.map((trace, i) => {
    const kind = trace.meta?.kind;
    if (kind === "way") count = reachedBy(trace, steps, last);
    // a head stands behind its way, and shows that way's last place
    if (kind === "way") return { ...trace, ...stretchOf(trace, 0, count) };
    return kind === "head" ? { ...trace, ...stretchOf(traces[i - 1], count - 1, count) } : trace;
  });
}

/**
 * Return how many places of a way were reached.
 * @param {Trace} way
 * @param {number[]} steps - the updates made at its places, unless it has its own
 * @param {number} last - the last update that counts
 * @returns {number}
 */
function reachedBy(way, steps, last) {
  return (way.meta?.steps ?? steps).filter((step) => step <= last).length;
}

/**
 * Return some of a trace's places.
 * @param {Trace} trace
 * @param {number} from
 * @param {number} to
 */
function stretchOf(trace, from, to) {
  return { x: trace.x?.slice(from, to), y: trace.y?.slice(from, to) };
}

/**
 * Let sliders move their figures, and the buttons beside them play from the first update to the last.
 * @param {(plot: PlotElement) => void} redraw - called after every move
 */
export function startFilms(redraw) {
  for (const plot of plots) if (sliderOf(plot)) startFilm(plot, redraw);
}

/**
 * Let one figure move.
 * @param {PlotElement} plot
 * @param {(plot: PlotElement) => void} redraw
 */
function startFilm(plot, redraw) {
  const slider = /** @type {HTMLInputElement} */ (sliderOf(plot));
  const film = /** @type {HTMLElement} */ (slider.parentElement);
  const button = get("button", film);
  const end = Number(slider.max);
  /** When the first update would have been shown, while it plays; else 0. */
  let begun = 0;
  const show = () => {
    const text = tellPlace(plot, Number(slider.value));
    get("output", film).textContent = text;
    slider.setAttribute("aria-valuetext", text);
    redraw(plot);
  };
  const play = (/** @type {number} */ from) => {
    begun = from;
    button.textContent = from ? "Pause" : "Play";
  };
  // by the clock: where drawing is slow, pictures are left out
  const advance = (/** @type {number} */ now) => {
    if (!begun) return;
    slider.value = String(Math.floor(((now - begun) / WHOLE) * end));
    show();
    if (Number(slider.value) === end) play(0);
    requestAnimationFrame(advance);
  };
  slider.addEventListener("input", () => {
    play(0);
    show();
  });
  button.addEventListener("click", () => {
    if (begun) return play(0);
    const done = Number(slider.value) === end ? 0 : Number(slider.value) / end;
    play(performance.now() - done * WHOLE);
    requestAnimationFrame(advance);
  });
}

/**
 * Return in words where a slider stands.
 * @param {PlotElement} plot
 * @param {number} place
 * @returns {string}
 */
function tellPlace(plot, place) {
  const steps = isDrawn(plot) ? plot.layout.meta?.steps : undefined;
  return steps ? `update ${steps[place]} of ${steps[steps.length - 1]}` : "";
}
