"use strict";
(() => {
  const root = document.documentElement;
  const scopes = new Map();
  const NARROW = 560;
  const PAPER = 640; // what fits a sheet of A4 or letter upright, margins, frames and all

  const scopeOf = (name) => {
    if (!scopes.has(name)) scopes.set(name, JSON.parse(document.getElementById(`scope-${name}`).textContent));
    return scopes.get(name);
  };

  // Colours are names of the style sheet; a probe element tells what they are in the theme of the moment.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (text) => {
    const [name, opacity] = text.split("/");
    probe.style.color = name;
    const rgb = getComputedStyle(probe).color;
    return opacity ? rgb.replace("rgb(", "rgba(").replace(")", `, ${opacity})`) : rgb;
  };

  const DAY = 86400000;
  const numbers = (scope, name) => {
    const raw = scope.arrays[name] || [];
    return name === "sessions"
      ? raw.map((day) => new Date(day * DAY).toISOString().slice(0, 10))
      : raw.map((step) => step / 1000);
  };

  const resolved = (value, scope, state) => {
    if (typeof value === "string") return value.startsWith("var(--") ? colour(value) : value;
    if (Array.isArray(value)) {
      return value.length && typeof value[value.length - 1] === "number" ? value.slice() : value.map((one) => resolved(one, scope, state));
    }
    if (value === null || typeof value !== "object") return value;
    if ("array" in value && typeof value.array === "string") return numbers(scope, value.array);
    if ("choose" in value) {
      const chosen = state[value.choose];
      return resolved(Object.hasOwn(value, chosen) ? value[chosen] : value.else, scope, state);
    }
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one, scope, state)]));
  };

  const merged = (base, over) => {
    const result = { ...base };
    for (const [key, value] of Object.entries(over)) {
      const both = value && typeof value === "object" && !Array.isArray(value) && result[key] && typeof result[key] === "object";
      result[key] = both ? merged(result[key], value) : value;
    }
    return result;
  };

  const axis = () => ({
    gridcolor: colour("var(--rule)"), zerolinecolor: colour("var(--muted)"), zerolinewidth: 1, zeroline: false,
    linecolor: colour("var(--rule)"), tickfont: { color: colour("var(--muted)") }, title: { font: { size: 12, color: colour("var(--muted)") } }, automargin: true,
  });

  const styled = (figure, layout, narrow) => {
    const base = {
      height: figure.height, margin: { l: 8, r: narrow ? 8 : 20, t: 8, b: 8, autoexpand: true },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 13, color: colour("var(--ink)") },
      hoverlabel: { bgcolor: colour("var(--card)"), bordercolor: colour("var(--muted)"), font: { color: colour("var(--ink)") } },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
      dragmode: narrow ? false : "zoom",
    };
    for (const key of Object.keys(layout)) if (/^[xy]axis\d*$/.test(key)) base[key] = axis();
    let whole = merged(base, layout);
    if (narrow) whole = merged(whole, figure.narrow);
    return whole;
  };

  // The frame follows what is judged: a baseline that lost three times the capital would make everything else a flat line.
  const framed = (data, layout, name) => {
    const named = name === "y" ? ["y", "y2"] : [name];
    for (const own of named) {
      const at = own === "y" ? "yaxis" : `yaxis${own.slice(1)}`;
      if (!(at in layout)) continue;
      let low = 0, high = 0;
      for (const trace of data) {
        if (trace.meta === "beside" || (trace.yaxis || "y") !== own) continue;
        for (const y of trace.y) if (y !== null) { low = Math.min(low, y); high = Math.max(high, y); }
      }
      const room = 0.06 * (high - low) || 1;
      layout[at].range = [low - room, high + (trace0(data, own) ? 0 : room)];
    }
  };
  const trace0 = (data, own) => data.some((trace) => trace.meta === "below" && trace.yaxis === own);

  const stateOf = (box) => {
    const state = {};
    for (const control of box.closest("figure").querySelectorAll("[data-choice]")) {
      if (control.type !== "radio" || control.checked) state[control.dataset.choice] = control.value;
    }
    return state;
  };

  const draw = (box, width) => {
    const scope = scopeOf(box.dataset.scope);
    const figure = scope.figures[box.dataset.figure];
    const state = stateOf(box);
    const data = resolved(figure.data, scope, state);
    const narrow = (width || box.clientWidth) < NARROW;
    const layout = styled(figure, resolved(figure.layout, scope, state), narrow);
    // Once told a width, a chart keeps it: after printing it is drawn from nothing, to fit its place again.
    if (box.dataset.paper) Plotly.purge(box);
    delete box.dataset.paper;
    if (width) { layout.width = width; box.dataset.paper = width; }
    if (figure.frame_by && state.frame !== "all") framed(data, layout, figure.frame_by);
    box.dataset.drawn = narrow ? "narrow" : "wide";
    return Plotly.react(box, data, layout, {
      responsive: true, displayModeBar: false,
    });
  };

  const charts = () => [...document.querySelectorAll(".chart")];
  const visible = (box) => box.checkVisibility();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !entry.target.dataset.drawn) { seen.unobserve(entry.target); draw(entry.target); }
    }
  }, { rootMargin: "600px" });
  charts().forEach((box) => seen.observe(box));

  // What is folded away is drawn anew when it shows again.
  const redraw = () => {
    for (const box of charts().filter((one) => one.dataset.drawn)) {
      if (visible(box)) draw(box);
      else { delete box.dataset.drawn; seen.observe(box); }
    }
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choice]")) draw(event.target.closest("figure").querySelector(".chart"));
  });

  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    for (const box of charts()) {
      if (box.dataset.drawn && visible(box) && (box.clientWidth < NARROW) !== (box.dataset.drawn === "narrow")) draw(box);
    }
  });

  document.addEventListener("themechange", redraw);

  // What a page of hundreds of studies need not show at once is packed until somebody wants it
  const unpacked = async (box) => {
    const bytes = Uint8Array.from(atob(box.textContent), (one) => one.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const part = document.createElement("template");
    part.innerHTML = await new Response(stream).text();
    box.replaceWith(part.content);
  };
  const unpack = async (study) => {
    for (const box of study.querySelectorAll("script[data-packed]")) await unpacked(box);
    for (const box of study.querySelectorAll(".chart:not([data-drawn])")) seen.observe(box);
  };

  // The table of candidates: its farther rows come when somebody asks for them
  let whole;
  const wholeTable = () => {
    whole ??= Promise.all([...document.querySelectorAll("#trials script[data-packed]")].map(unpacked)).then(() => {
      document.getElementById("all-rows")?.parentElement.remove();
    });
    return whole;
  };
  document.getElementById("all-rows")?.addEventListener("click", wholeTable);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("#trials th button");
    if (!button || !document.querySelector("#trials script[data-packed]")) return;
    event.stopImmediatePropagation();
    await wholeTable();
    button.click();
  }, true);

  // Find by name
  const find = document.getElementById("find");
  const ruling = document.getElementById("ruling");
  const beside = document.getElementById("beside");
  const found = document.getElementById("found");
  const narrowDown = () => {
    if (document.querySelector("#trials script[data-packed]")) {
      wholeTable().then(narrowDown);
      return;
    }
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = ruling.value;
    let shown = 0;
    for (const row of document.querySelectorAll("#trials tbody tr:not(.divider)")) {
      const candidate = row.parentElement.matches(".candidates");
      const fits = words.every((word) => row.dataset.find.includes(word)) &&
        (candidate ? !wanted || row.dataset.standing === wanted : beside.checked);
      row.hidden = !fits;
      shown += fits && candidate;
    }
    const divider = document.querySelector("#trials .divider");
    if (divider) divider.hidden = !beside.checked;
    for (const study of document.querySelectorAll("details.study")) {
      study.hidden = !words.every((word) => study.dataset.find.includes(word));
    }
    found.textContent = `${shown.toLocaleString("en")} candidates shown`;
  };
  find.addEventListener("input", narrowDown);
  ruling.addEventListener("change", narrowDown);
  beside.addEventListener("change", narrowDown);

  // The table of studies: find by name
  const findStudy = document.getElementById("find-study");
  const rulingStudy = document.getElementById("ruling-study");
  const narrowStudies = () => {
    const words = findStudy.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of document.querySelectorAll("#family tbody tr")) {
      const fits = words.every((word) => row.dataset.find.includes(word)) &&
        (!rulingStudy.value || row.dataset.ruling === rulingStudy.value);
      row.hidden = !fits;
      shown += fits;
    }
    document.getElementById("found-study").textContent = `${shown.toLocaleString("en")} ${shown === 1 ? "study" : "studies"} shown`;
  };
  if (findStudy) {
    findStudy.addEventListener("input", narrowStudies);
    rulingStudy.addEventListener("change", narrowStudies);
  }

  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.study[open]")) unpack(event.target);
  }, true);

  // Folded studies: a link opens the one it points to
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.matches("details")) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();
  document.querySelectorAll("[data-fold]").forEach((button) => button.addEventListener("click", () => {
    document.querySelectorAll("details.study").forEach((study) => { study.open = button.dataset.fold === "open"; });
  }));

  // Print: light, everything drawn; a few studies are unfolded, hundreds stay as they are
  let before;
  let unfolded = [];
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    if (document.querySelectorAll("details.study").length <= 8) {
      unfolded = [...document.querySelectorAll("details.study, details.fold")].filter((part) => !part.open);
      unfolded.forEach((part) => { part.open = true; });
    }
    charts().filter(visible).forEach((box) => draw(box, PAPER));
  });
  addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before; else delete root.dataset.theme;
    unfolded.forEach((part) => { part.open = false; });
    unfolded = [];
    redraw();
  });
})();
