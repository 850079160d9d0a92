"use strict";
(async () => {
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("too-old").hidden = false;
    return;
  }
  const library = document.createElement("script");
  library.textContent = await unpack("plotly");
  document.head.append(library);
  const plots = [...document.querySelectorAll(".plot")];
  const hidden = new Set();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "sendChartToCloud"] };

  const state = (plot) => {
    const box = plot.closest("figure").querySelector(".controls");
    const pick = (name) => box.querySelector(`[name=${name}]`);
    return { train: pick("train").checked, valid: pick("valid").checked, seeds: pick("seeds").checked, unit: pick("unit").value,
             logx: pick("logx").checked, logy: pick("logy").checked };
  };
  const refresh = (plot) => {
    const controls = plot.closest("figure").querySelector(".controls");
    const now = controls ? state(plot) : null;
    const visible = plot.data.map((trace) => {
      const meta = trace.meta;
      if (!meta || !meta.arm) return trace.visible ?? true;
      if (hidden.has(meta.arm)) return trace.showlegend === false ? false : "legendonly";
      if (!now || !meta.part) return true;
      return now[meta.part] && (meta.kind === "seed" ? now.seeds : true);
    });
    Plotly.restyle(plot, { visible });
    if (!now) return;
    const moved = plot.data.map((_, i) => i).filter((i) => plot.data[i].meta && plot.data[i].meta.x);
    Plotly.restyle(plot, { x: moved.map((i) => plot.data[i].meta.x[now.unit]) }, moved);
    Plotly.relayout(plot, { "xaxis.title.text": now.unit, "xaxis.type": now.logx ? "log" : "linear",
                            "yaxis.type": now.logy ? "log" : "linear", "xaxis.autorange": true, "yaxis.autorange": true });
  };
  const paint = () => plots.forEach((plot) => Plotly.relayout(plot, { "font.color": colour("--ink") }));
  const toggle = (arm) => { hidden.has(arm) ? hidden.delete(arm) : hidden.add(arm); plots.forEach(refresh); };

  const specs = await Promise.all(plots.map(async (plot) => JSON.parse(await unpack(`data-${plot.id}`))));
  plots.forEach((plot, i) => {
    const spec = specs[i];
    spec.layout.font.color = colour("--ink");
    Plotly.newPlot(plot, spec.data, spec.layout, config);
    plot.on("plotly_legendclick", (event) => {
      const meta = event.data[event.curveNumber].meta;
      if (meta && meta.arm) toggle(meta.arm);
      return !(meta && meta.arm);
    });
    plot.on("plotly_legenddoubleclick", (event) => {
      const mine = event.data[event.curveNumber].meta;
      if (!mine || !mine.arm) return true;
      const arms = new Set(plots.flatMap((p) => p.data.map((t) => t.meta && t.meta.arm).filter(Boolean)));
      const alone = !hidden.has(mine.arm) && [...arms].every((arm) => arm === mine.arm || hidden.has(arm));
      hidden.clear();
      if (!alone) arms.forEach((arm) => arm === mine.arm || hidden.add(arm));
      plots.forEach(refresh);
      return false;
    });
    const box = plot.closest("figure").querySelector(".controls");
    if (box) {
      box.querySelector("[name=logy]").checked = spec.layout.yaxis.type === "log";
      box.addEventListener("change", () => refresh(plot));
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
})();
