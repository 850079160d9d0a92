// What the page's scripts know about Plotly and about the figures that the report packs for them.

/** What is told about a trace besides how it is drawn. */
interface TraceMeta {
  /** "mean", "band" and "seed" of curves; other figures have words of their own. */
  kind?: string;
  /** The arm that it shows; its chip hides it. */
  arm?: string;
  /** "train" or "valid"; empty for a metric that is of neither. */
  part?: string;
  /** Of a mean: what stands at its end. */
  label?: string;
  /** Of a single run: its seed. */
  seed?: number;
  /** Places of the points among the positions; null where they are the first ones without a gap. */
  at?: number[] | null;
  /** Of a mean: the positions of all evaluations by unit ("epoch", "step", …). */
  positions?: Record<string, number[]>;
  /** Of a mean: centre, low and high by "mean", "median" and "IQM". */
  centres?: Record<string, [Numbers, Numbers, Numbers]>;
  /** Of a single run: its values before they are smoothed. */
  raw?: Numbers;
  /** Of a "way" of its own length: the updates made at its places. */
  steps?: number[];
}

/** Numbers of a trace; null is a gap. */
type Numbers = (number | null)[];

/** One run's curve, as the page holds it. */
interface PackedRun {
  seed: number;
  at: number[] | null;
  y: Numbers;
}

/** A trace of Plotly, as far as the page looks into it. */
interface Trace {
  name?: string;
  x?: (number | string | null)[];
  y?: (number | string | null)[];
  z?: Numbers[];
  meta?: TraceMeta;
  visible?: boolean | "legendonly";
  showlegend?: boolean;
  hoverinfo?: string;
  xaxis?: string;
  yaxis?: string;
  line?: { color?: string; width?: number };
  marker?: { size?: unknown };
  /** Single runs that share all of this trace but their numbers; in what the page holds, not in what is drawn. */
  runs?: PackedRun[];
}

/** A trace of a curve figure. */
type Curve = Trace & { meta: TraceMeta };

interface Axis {
  title?: { text: string };
  type?: string;
  autorange?: boolean | string;
  range?: (number | string)[];
  domain?: [number, number];
  showticklabels?: boolean;
}

/** A text on a figure. */
interface Note {
  /** "clipped" and "end" of those that the page makes. */
  name?: string;
  text: string;
  [how: string]: unknown;
}

/** Plots of a figure, by rows: how many, how many in a row at most, and pixels of a row. */
interface Grid {
  plots: number;
  across: number;
  row: number;
}

interface Layout {
  font: { color: string };
  xaxis: Axis;
  yaxis: Axis;
  showlegend?: boolean;
  height: number;
  paper_bgcolor?: string;
  annotations?: Note[];
  /** Of a figure that moves, the updates that its slider goes over; the panels' titles; whether outliers are cut. */
  meta?: { steps?: number[]; panels?: string[]; columns?: number; clipped?: boolean; grid?: Grid };
  /** Further axes. */
  [name: string]: any;
}

/** A figure, as the page holds it. */
interface Figure {
  data: Trace[];
  layout: Layout;
}

/** The element that Plotly has drawn into, or will; its public fields are there once it is drawn. */
interface PlotElement extends HTMLElement {
  data?: Trace[];
  layout?: Layout;
  on(event: "plotly_relayout", listener: (change: Record<string, unknown>) => void): void;
}

interface ImageOptions {
  format: "svg" | "png";
  width: number;
  height: number;
  scale: number;
}

/** The calls of Plotly that the page uses. */
declare const Plotly: {
  react(plot: PlotElement, data: Trace[], layout: Layout, config: object): Promise<PlotElement>;
  relayout(plot: PlotElement, update: Record<string, unknown>): Promise<PlotElement>;
  toImage(figure: { data: Trace[]; layout: Layout; config: object }, options: ImageOptions): Promise<string>;
};

/** plotly.js as gzip in base64, set by the file that lies beside published reports; a user's report holds it itself. */
declare var packedPlotly: string | undefined;
