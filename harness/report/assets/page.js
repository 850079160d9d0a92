"use strict";
(async () => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // tables need no figures: they work first
  const table = $("#table");
  if (table) {
    const rows = $$("tbody tr", table), body = $("tbody", table), heads = $$("th", table);
    const find = $("#find"), count = $("#count");
    find.addEventListener("input", () => {
      const words = find.value.toLowerCase().split(/\s+/);
      let shown = 0;
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      });
      count.textContent = `${shown} of ${rows.length} runs`;
    });
    heads.forEach((head, column) => $("button", head).addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent.trim();
      const value = (row) => (text(row) === "" || isNaN(text(row)) ? null : Number(text(row)));
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x !== null && y !== null) return x - y;
        if (x !== null || y !== null) return x !== null ? -1 : 1;
        return text(a).localeCompare(text(b));
      };
      body.append(...[...rows].sort((a, b) => (up ? compare(a, b) : compare(b, a))));
    }));
  }
  const copy = (text) => {
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    copy(button.dataset.copy);
    const before = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  });
  const root = document.documentElement, theme = $("#theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  if (typeof DecompressionStream === "undefined") {
    $("#too-old").hidden = false;
    return;
  }
  const unpack = async (id) => {
    const text = atob(document.getElementById(id).textContent), bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const library = document.createElement("script");
  library.textContent = await unpack("plotly");
  document.head.append(library);

  const plots = $$(".plot"), linked = plots.filter((plot) => plot.closest(".linked"));
  const hidden = new Set(), chips = $$("[data-arm]");
  const box = chips.length ? $(".arms") : null;
  const ink = () => getComputedStyle(root).getPropertyValue("--ink").trim();
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "toImage"] };
  const single = chips.length < 2;

  const controls = $("#curves ~ .controls");
  const field = (name) => $(`[name=${name}]`, controls);
  const state = () => controls && ({
    train: field("train").checked, valid: field("valid").checked, bands: field("bands").checked, seeds: field("seeds").checked,
    centre: field("centre").value, unit: field("unit").value, smooth: Number(field("smooth").value), logx: field("logx").checked,
    yaxis: field("yaxis").value,
  });

  // exponential moving average without its bias towards the start
  const smoothed = (values, weight) => {
    if (!weight) return values;
    let sum = 0, norm = 0;
    return values.map((v) => {
      if (v === null) return null;
      sum = weight * sum + (1 - weight) * v;
      norm = weight * norm + 1 - weight;
      return sum / norm;
    });
  };
  const isShown = (trace, now) => {
    const meta = trace.meta;
    if (!meta || !meta.arm) return trace.visible ?? true;
    if (hidden.has(meta.arm)) return false;
    if (!now || meta.part === undefined) return true;
    return (meta.part === "" || now[meta.part]) && (meta.kind !== "seed" || now.seeds) && (meta.kind !== "band" || now.bands);
  };
  const key = (meta) => `${meta.part} ${meta.arm}`;
  // what the traces of a curve figure show, from the centres and positions that come with their means
  const fill = (data, now) => {
    const means = new Map(data.filter((t) => t.meta.kind === "mean").map((t) => [key(t.meta), t.meta]));
    data.forEach((trace) => {
      const meta = trace.meta, mean = means.get(key(meta)), all = mean.positions[now.unit];
      const place = (at, n) => (at ? at.map((i) => all[i]) : all.slice(0, n));
      if (meta.kind === "seed") {
        meta.raw = meta.raw || trace.y;
        trace.y = smoothed(meta.raw, now.smooth);
        trace.x = place(meta.at, trace.y.length);
        return;
      }
      const [centre, low, high] = (mean.centres[now.centre] || [[], [], []]).map((row) => smoothed(row, now.smooth));
      const x = place(mean.at, centre.length);
      if (meta.kind === "mean") {
        Object.assign(trace, { x, y: centre });
        return;
      }
      // a logarithmic axis has no place for what is not above 0
      const lowest = centre.every((v) => v > 0) ? 0.2 * Math.min(...centre) : -Infinity;
      trace.x = [...x, ...[...x].reverse()];
      trace.y = [...high, ...low.map((v) => Math.max(v, lowest)).reverse()];
    });
  };
  // single seeds are many: they go to Plotly only while they are asked for
  const picked = (all, now) => (now && !now.seeds ? all.filter((trace) => trace.meta.kind !== "seed") : all);
  const dress = (spec) => {
    spec.layout.font.color = ink();
    if (single || spec.data.some((t) => t.meta && t.meta.arm)) spec.layout.showlegend = false;
    return spec;
  };
  const draw = async (plot, anew = false) => {
    if (plot.drawn && !anew) return;
    plot.drawn = true;
    const id = plot.dataset.of ? document.getElementById(plot.dataset.of).value : plot.id;
    const spec = dress(JSON.parse(await unpack(`data-${id}`)));
    plot.fits = spec.layout.yaxis && spec.layout.yaxis.type;
    const curve = linked.includes(plot), now = curve ? state() : null;
    plot.all = spec.data;
    spec.data = picked(plot.all, now);
    if (curve) fill(spec.data, now);
    spec.data.forEach((trace) => { trace.visible = isShown(trace, now); });
    if (curve) axes(spec.layout, plot, now);
    if (spec.layout.showlegend === false && spec.data.some((t) => t.showlegend !== false && t.meta && t.meta.arm))
      spec.layout.height -= 20 * Math.ceil(chips.length / 5);
    await Plotly.react(plot, spec.data, spec.layout, config);
    if (curve && !plot.tied) tie(plot);
    plot.removeAttribute("aria-busy");
  };
  const axes = (layout, plot, now) => {
    layout.xaxis.title = { text: now.unit };
    layout.xaxis.type = now.logx ? "log" : "linear";
    layout.yaxis.type = now.yaxis === "as fits" ? plot.fits : now.yaxis;
    for (const axis of [layout.xaxis, layout.yaxis]) Object.assign(axis, { autorange: true, range: undefined });
  };
  const refresh = (plot, moved = false) => {
    if (!plot.data) return;
    const curve = linked.includes(plot), now = curve ? state() : null;
    const data = picked(plot.all, now);
    if (curve && moved) {
      fill(data, now);
      axes(plot.layout, plot, now);
    }
    data.forEach((trace) => { trace.visible = isShown(trace, now); });
    Plotly.react(plot, data, plot.layout, config);
  };

  // zooming one of the curves along x zooms the others
  let following = false;
  const tie = (plot) => {
    plot.tied = true;
    plot.on("plotly_relayout", (change) => {
      const range = "xaxis.range[0]" in change ? [change["xaxis.range[0]"], change["xaxis.range[1]"]] : change["xaxis.range"];
      if (following || (!range && !change["xaxis.autorange"])) return;
      following = true;
      const update = range ? { "xaxis.range": [...range] } : { "xaxis.autorange": true, "yaxis.autorange": true };
      Promise.all(linked.filter((p) => p !== plot && p.data).map((p) => Plotly.relayout(p, update))).then(() => { following = false; });
    });
  };

  const apply = () => {
    chips.forEach((chip) => chip.setAttribute("aria-pressed", String(!hidden.has(chip.dataset.arm))));
    plots.forEach((plot) => refresh(plot));
  };
  if (box) box.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-arm]"), pick = event.target.closest("[data-pick]");
    if (chip) hidden.has(chip.dataset.arm) ? hidden.delete(chip.dataset.arm) : hidden.add(chip.dataset.arm);
    if (pick) {
      hidden.clear();
      if (pick.dataset.pick !== "all") chips.slice(Number(pick.dataset.pick)).forEach((c) => hidden.add(c.dataset.arm));
    }
    if (chip || pick) apply();
  });
  if (box) box.addEventListener("dblclick", (event) => {
    const chip = event.target.closest("[data-arm]");
    if (!chip) return;
    hidden.clear();
    chips.forEach((c) => c === chip || hidden.add(c.dataset.arm));
    apply();
  });
  if (controls) controls.addEventListener("input", () => linked.forEach((plot) => refresh(plot, true)));
  $$("[data-of]").forEach((plot) => document.getElementById(plot.dataset.of).addEventListener("change", () => draw(plot, true)));

  const csv = (plot) => {
    const cell = (v) => (/[",\n]/.test(String(v ?? "")) ? `"${String(v).replaceAll('"', '""')}"` : String(v ?? ""));
    const lines = ["trace,x,y,z"];
    plot._fullData.filter((t) => t.visible === true && t.hoverinfo !== "skip").forEach((trace) => {
      const name = (trace.name || "") + (trace.meta && trace.meta.part ? ` ${trace.meta.part}` : "");
      if (trace.z) [...trace.z].forEach((row, i) => [...row].forEach((z, j) =>
        lines.push([name, trace.x ? trace.x[j] : j, trace.y ? trace.y[i] : i, z].map(cell).join(","))));
      else [...(trace.x || trace.y || [])].forEach((_, i) => lines.push([name, trace.x ? trace.x[i] : i, trace.y ? trace.y[i] : "", ""].map(cell).join(",")));
    });
    const link = Object.assign(document.createElement("a"), { download: `${plot.id}.csv`, href: URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-save]");
    if (!button) return;
    const plot = $(".plot", button.closest("figure"));
    await draw(plot);
    if (button.dataset.save === "csv") return csv(plot);
    const { width, height } = plot.getBoundingClientRect();
    // an image of its own has no chips beside it: the legend says what is what
    const layout = { ...plot.layout, showlegend: !single, paper_bgcolor: dark() ? "#12171d" : "#fff" };
    await Plotly.downloadImage({ data: plot.data, layout, config }, { format: button.dataset.save, filename: plot.id, width, height, scale: button.dataset.save === "png" ? 2 : 1 });
  });

  const paint = () => plots.filter((plot) => plot.data).forEach((plot) => Plotly.relayout(plot, { "font.color": ink() }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; paint(); });

  // figures are drawn when they come near the screen, and all of them before printing
  const near = new IntersectionObserver((entries) => entries.filter((e) => e.isIntersecting).forEach((e) => {
    near.unobserve(e.target);
    draw(e.target);
  }), { rootMargin: "600px" });
  plots.forEach((plot) => { plot.setAttribute("aria-busy", "true"); near.observe(plot); });
  const rest = async () => { for (const plot of plots) await draw(plot); };
  addEventListener("beforeprint", rest);
  (window.requestIdleCallback || setTimeout)(() => setTimeout(rest, 1500));
})();
