"use strict";
// Draws the plots that the page carries as JSON, and lets the controls around them act on them.
(() => {
  const root = document.documentElement;
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const plots = {};
  const ARROWS = ["→", "↗", "↑", "↖", "←", "↙", "↓", "↘"];
  const whole = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 0 });
  const language = () => root.lang;

  function model(plot, name) {
    return plots[plot].model.document.get_model_by_name(name);
  }

  // ---- language -------------------------------------------------------------------------
  function wordPlot(key) {
    const zh = language() === "zh" ? 1 : 0;
    for (const [name, property, ...values] of page.plots[key].entries) {
      let value = values[zh];
      if (property === "major_label_overrides") {
        value = new Map(Object.entries(value).map(([tick, label]) => [Number(tick), label]));
      }
      model(key, name).setv({ [property]: value });
    }
    for (const [name, column, ...values] of page.plots[key].columns) {
      const source = model(key, name);
      source.data[column] = values[zh];
      source.change.emit();
    }
  }

  function setLanguage(lang) {
    root.lang = lang;
    for (const button of document.querySelectorAll("[data-lang]")) {
      button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
    }
    for (const option of document.querySelectorAll("option[data-en]")) {
      option.textContent = option.dataset[lang];
    }
    for (const item of document.querySelectorAll("[data-label-en]")) {
      item.setAttribute("aria-label", lang === "zh" ? item.dataset.labelZh : item.dataset.labelEn);
    }
    for (const key of Object.keys(plots)) wordPlot(key);
    if (plots.map) wordMap();
  }

  // ---- tooltips of the map --------------------------------------------------------------
  const known = (value) => Number.isFinite(value);

  function wordMap() {
    const words = page.map.words[language()];
    const streets = model("map", "streets").data;
    const n = streets.octant.length;
    const rows = [[], [], [], [], [], []];
    for (let k = 0; k < n; k += 1) {
      const name = page.map.names[streets.name_code[k]];
      const lanes = streets.lanes[k];
      rows[0].push(name || words.unnamed);
      rows[1].push(words.classes[streets.class_code[k]] +
        (lanes > 0 ? ` · ${lanes} ${words.lanes}` : "") + ` · ${whole(streets.metres[k])} m`);
      for (const way of [1, 2]) {
        const flow = streets[`flow${way}`][k];
        const arrow = ARROWS[(streets.octant[k] + (way === 2 ? 4 : 0)) % 8];
        rows[1 + way].push(!known(flow) ? "" : `${arrow} ${whole(flow)} ${words.flow} · v/c ` +
          `${streets[`load${way}`][k].toFixed(2)} · ${streets[`kmh${way}`][k].toFixed(0)} km/h`);
      }
      let before = "";
      if (page.map.compared) {
        const old = [streets.old1[k], streets.old2[k]].filter(known);
        before = old.length ? `${words.base}: ${old.map(whole).join(" / ")} ${words.flow}` : words.new;
      }
      rows[4].push(before);
      rows[5].push(`${words.source}: ${words.sources[streets.source_code[k]]}`);
    }
    rows.forEach((values, k) => { streets[`t${k}`] = values; });
    wordZones();
    wordTransit(words);
  }

  function wordZones() {
    const source = model("map", "zones");
    if (!source) return;
    const words = page.map.words[language()];
    const zones = source.data;
    const theme = page.map.zoneThemes[chosen("zone-theme")];
    const rows = [[], [], [], []];
    for (let k = 0; k < zones.t0.length; k += 1) {
      const parts = [zones.district[k], words.tiers[zones.tier[k]]];
      rows[0].push(parts.filter((part) => part && part !== zones.t0[k]).join(" · "));
      rows[1].push(`${whole(zones.residents[k])} ${words.residents}`);
      rows[2].push(`${whole(zones.jobs[k])} ${words.jobs}`);
      const value = theme ? zones[`${chosen("zone-theme")}_value`][k] : NaN;
      rows[3].push(!known(value) ? "" : `${theme[language()]}: ` +
        `${value.toLocaleString("en-US", { maximumSignificantDigits: 4 })} ${theme.unit}`);
    }
    rows.forEach((values, k) => { zones[`t${k + 1}`] = values; });
  }

  function wordTransit(words) {
    const rail = model("map", "rail");
    if (!rail) return;
    const runs = rail.data;
    const rows = [[], [], [], []];
    for (let k = 0; k < runs.t0.length; k += 1) {
      rows[0].push(`${runs.from[k]} — ${runs.to[k]}`);
      rows[1].push(`→ ${whole(runs.flow1[k])} · ← ${whole(runs.flow2[k])} ${words.passengers}`);
      rows[2].push(known(runs.load[k]) ? `${words.load}: ${(100 * runs.load[k]).toFixed(0)} %` : "");
      rows[3].push(!page.map.compared ? "" : known(runs.old[k])
        ? `${words.base}: → + ← ${whole(runs.old[k])} ${words.passengers}` : words.new);
    }
    rows.forEach((values, k) => { runs[`t${k + 1}`] = values; });
    const stations = model("map", "stations").data;
    const own = [[], [], []];
    for (let k = 0; k < stations.t0.length; k += 1) {
      own[0].push(`${words.lines}: ${stations.lines[k]}`);
      own[1].push(`${whole(stations.boardings[k])} ${words.boardings}`);
      own[2].push(!page.map.compared ? "" : known(stations.old[k])
        ? `${words.base}: ${whole(stations.old[k])}` : words.new);
    }
    own.forEach((values, k) => { stations[`t${k + 1}`] = values; });
  }

  // ---- controls of the map --------------------------------------------------------------
  let far = null;

  function chosen(id) {
    const control = document.getElementById(id);
    return control ? control.value : "";
  }

  function showLegend(kind, key) {
    for (const item of document.querySelectorAll(`[data-${kind}-legend]`)) {
      item.hidden = item.getAttribute(`data-${kind}-legend`) !== key;
    }
  }

  function setLinkTheme() {
    const key = chosen("link-theme");
    const source = model("map", "streets");
    source.data.color = source.data[`${key}_color`];
    source.data.width = source.data[`${key}_width`];
    source.change.emit();
    showLegend("link", key);
  }

  // Streets step back where zones are shaded, for in a city they would hide them.
  const own = new Map();
  function fade(factor) {
    for (const part of plots.map.model.renderers) {
      if (!/^layer-(streets|local|generated|new)/.test(part.name ?? "")) continue;
      if (!own.has(part)) own.set(part, part.glyph.line_alpha.value ?? part.glyph.line_alpha);
      part.glyph.line_alpha = own.get(part) * factor;
    }
  }

  function setZoneTheme() {
    const key = chosen("zone-theme");
    const source = model("map", "zones");
    if (!source) return;
    if (key) source.data.shade = source.data[`${key}_shade`];
    model("map", "layer-zones").glyph.fill_alpha = key ? 0.75 : 0;
    fade(key ? 0.45 : 1);
    source.change.emit();
    wordZones();
    showLegend("zone", key);
  }

  // A layer may be drawn in parts: layer-rail and layer-rail-casing.
  function setLayer(box) {
    const name = `layer-${box.value}`;
    for (const part of plots.map.model.renderers) {
      if (part.name !== name && !part.name?.startsWith(`${name}-`)) continue;
      part.visible = box.checked && !(part.name.endsWith("-near") && isFar());
    }
  }

  // Names of small lakes and hills would lie over each other on a far view.
  const isFar = () => plots.map.model.y_range.end - plots.map.model.y_range.start > 50000;

  function showNear() {
    if (far === isFar()) return;
    far = isFar();
    for (const box of document.querySelectorAll("input[name=layer]")) setLayer(box);
  }

  function frame() {
    const plot = plots.map.model;
    return [plot.inner_width || 1000, plot.inner_height || 640];
  }

  function look(x, y, height) {
    const [w, h] = frame();
    const plot = plots.map.model;
    const half = { x: (height * w) / h / 2, y: height / 2 };
    plot.x_range.setv({ start: x - half.x, end: x + half.x });
    plot.y_range.setv({ start: y - half.y, end: y + half.y });
  }

  function fit(key) {
    const [west, south, east, north] = page.map.views[key];
    const [w, h] = frame();
    look((west + east) / 2, (south + north) / 2,
      1.04 * Math.max(north - south, ((east - west) * h) / w));
  }

  function move(dx, dy, zoom) {
    const { x_range: x, y_range: y } = plots.map.model;
    const height = y.end - y.start;
    const width = x.end - x.start;
    look((x.start + x.end) / 2 + dx * width, (y.start + y.end) / 2 + dy * height, height * zoom);
  }

  const KEYS = {
    ArrowLeft: [-0.15, 0, 1], ArrowRight: [0.15, 0, 1], ArrowUp: [0, 0.15, 1],
    ArrowDown: [0, -0.15, 1], "+": [0, 0, 0.7], "=": [0, 0, 0.7], "-": [0, 0, 1 / 0.7],
  };

  function wireMap() {
    document.getElementById("link-theme").addEventListener("change", setLinkTheme);
    const zones = document.getElementById("zone-theme");
    if (zones) zones.addEventListener("change", setZoneTheme);
    for (const box of document.querySelectorAll("input[name=layer]")) {
      box.addEventListener("change", () => setLayer(box));
      setLayer(box);
    }
    for (const button of document.querySelectorAll("[data-view]")) {
      button.addEventListener("click", () => {
        if (goTo) goTo.value = "";
        fit(button.dataset.view);
      });
    }
    const goTo = document.getElementById("view");
    if (goTo) goTo.addEventListener("change", () => { if (goTo.value) fit(goTo.value); });
    plots.map.model.y_range.change.connect(showNear);
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => move(0, 0, Number(button.dataset.zoom)));
    }
    const box = document.getElementById("plot-map");
    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
      event.preventDefault();
      move(...KEYS[event.key]);
    });
    new ResizeObserver(() => requestAnimationFrame(() => move(0, 0, 1))).observe(box);
    for (const [id, key, set] of [["link-theme", "streets", setLinkTheme],
      ["zone-theme", "zones", setZoneTheme]]) {
      const control = document.getElementById(id);
      const value = wanted.get(key);
      if (control && [...control.options].some((option) => option.value === value)) {
        control.value = value;
      }
      if (control) set();
    }
    const views = Object.keys(page.map.views);
    fit(views.includes(wanted.get("view")) ? wanted.get("view") : views[0]);
  }

  // ---- start ----------------------------------------------------------------------------
  async function draw(key) {
    const views = await Bokeh.embed.embed_item(page.plots[key].item, `plot-${key}`);
    plots[key] = { model: views.roots[0].model };
    offerPictures(key, views.roots[0]);
  }

  // ---- pictures for slides --------------------------------------------------------------
  function offerPictures(key, view) {
    const row = document.createElement("div");
    row.className = "save";
    for (const type of ["png", "svg"]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = type.toUpperCase();
      button.dataset.save = type;
      button.dataset.labelEn = `Save this figure as ${button.textContent}`;
      button.dataset.labelZh = `将此图存为 ${button.textContent}`;
      button.addEventListener("click", () => savePicture(view, `${page.name}-${key}.${type}`, type));
      row.append(button);
    }
    document.getElementById(`plot-${key}`).after(row);
  }

  async function savePicture(view, name, type) {
    const blob = await view.export(type, true).to_blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  Bokeh.logger.set_level("warn");
  // A link can open the page in a state: report.html#lang=zh&streets=diff&zones=density&view=all
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (["en", "zh"].includes(wanted.get("lang"))) root.lang = wanted.get("lang");
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.lang));
  }
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open]):not([data-folded])")];
    for (const item of folded) item.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const item of folded) item.open = false;
  });
  setLanguage(root.lang);
  (async () => {
    for (const key of Object.keys(page.plots)) await draw(key);
    setLanguage(root.lang);
    if (plots.map) wireMap();
    root.setAttribute("data-ready", "yes");
  })().catch((error) => {
    root.setAttribute("data-errors", String(error));
    document.getElementById("failed").hidden = false;
    console.error(error);
  });
})();
