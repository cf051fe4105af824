"use strict";
// Draws the tree of frames as rows of boxes. Everything that comes from the heap is put in as text, never as HTML.
(() => {
  const ROW = 22;
  const NARROW = 24;
  const THIN = 4;
  const LEAST = 0.8;
  const PADDING = 10;
  const TITLES = { retained: "by what retains it", paths: "by path from the roots", sites: "by allocation site" };
  const ABOUT = {
    retained: "A frame is as wide as what would be freed without it: its own bytes, and all that nothing else keeps alive.",
    paths: "A frame stands on the shortest path from the roots. What several objects refer to stands below the first of them.",
    sites: "Where the objects were allocated: gem, file, method and line, class.",
  };
  const LEAKED = {
    retained: "A frame is as wide as the leaked objects that would be freed without it.",
    paths: "The leaked objects, each on the shortest path to it from the roots.",
    sites: "Where the leaked objects were allocated: gem, file, method and line, class.",
  };

  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const graph = byId("graph");
  const search = byId("search");
  const state = { view: null, unit: "bytes", zoom: 0, selected: 0, needle: "", matches: new Set(), boxes: new Map() };

  // ---- the tree

  // Children follow their parents, so sums go up backwards and places go down forwards.
  function prepare(view) {
    const length = view.parent.length;
    const children = Array.from({ length }, () => []);
    const depth = new Int32Array(length);
    for (let index = 1; index < length; index++) {
      children[view.parent[index]].push(index);
      depth[index] = depth[view.parent[index]] + 1;
    }
    const sums = {};
    for (const unit of ["bytes", "count"]) {
      const total = Float64Array.from(view[unit]);
      for (let index = length - 1; index > 0; index--) total[view.parent[index]] += total[index];
      const start = new Float64Array(length);
      for (let index = 0; index < length; index++) {
        let at = start[index];
        for (const child of children[index]) {
          start[child] = at;
          at += total[child];
        }
      }
      sums[unit] = { total, start };
    }
    return { ...view, children, depth, sums };
  }

  const views = data.views.map(prepare);
  const sums = () => state.view.sums[state.unit];
  const name = (index) => state.view.labels[state.view.label[index]];
  const above = (index) => {
    const way = [];
    for (let at = index; at !== 0; at = state.view.parent[at]) way.unshift(state.view.parent[at]);
    return way;
  };

  // ---- words

  // The end of a path says most, and of a constant in namespaces.
  const measure = document.createElement("canvas").getContext("2d");
  function shortened(label, pixels) {
    const part = label.includes("/") ? "/" : "::";
    if (!label.includes(part) || !measure) return label;
    measure.font = "12px system-ui, sans-serif";
    const fits = (text) => measure.measureText(text).width <= pixels - PADDING;
    if (fits(label)) return label;
    let cut = 0;
    let end = label.length;
    while (cut < end) {
      const middle = (cut + end) >> 1;
      if (fits(`…${label.slice(middle)}`)) end = middle;
      else cut = middle + 1;
    }
    const start = label.indexOf(part, cut);
    return start < 0 ? label.slice(label.lastIndexOf(part) + part.length) : `…${label.slice(start)}`;
  }

  const grouped = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const counted = (number, noun) => `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;

  function bytes(number) {
    if (number < 1000) return `${number} B`;
    const units = ["kB", "MB", "GB", "TB"];
    let unit = -1;
    let size = number;
    do { size /= 1000; unit += 1; } while (size >= 999.95 && unit < units.length - 1);
    return `${size.toFixed(size < 99.95 ? 1 : 0)} ${units[unit]}`;
  }

  function percent(part, whole) {
    if (!whole) return "0 %";
    const share = (100 * part) / whole;
    return part && share < 0.05 ? "<0.1 %" : `${share.toFixed(1)} %`;
  }

  function describe(index) {
    const { bytes: size, count } = state.view.sums;
    return `${bytes(size.total[index])}, ${percent(size.total[index], size.total[0])}, ` +
      counted(count.total[index], "object");
  }

  // ---- drawing

  // Names of one beginning have one colour: Shop::Visit and Shop::Order look alike.
  function hue(label) {
    let hash = 7;
    const start = label.replace(/^(class|module|[@$]\S+|\S*\[\S+\]) /, "").split(/::|[ :;(]/)[0];
    for (const char of start || label) hash = (hash * 31 + char.codePointAt(0)) % 9973;
    return hash % 360;
  }

  function plain(label) {
    return label === "…" || label.startsWith("root ") || label.endsWith("(Ruby internal)") || label === "not traced" ||
      label === "heap" || label === "all that leaked" || label === "unreachable";
  }

  function box(index, left, width, pixels) {
    const label = name(index);
    const element = document.createElement("div");
    element.className = "frame";
    element.classList.toggle("plain", plain(label));
    element.classList.toggle("narrow", pixels < NARROW);
    element.classList.toggle("thin", pixels < THIN);
    element.classList.toggle("match", state.matches.has(index));
    element.classList.toggle("above", index !== state.zoom && state.view.depth[index] < state.view.depth[state.zoom]);
    element.style.setProperty("--hue", hue(label));
    element.style.left = `${left * 100}%`;
    element.style.width = `${width * 100}%`;
    element.style.top = `${state.view.depth[index] * ROW}px`;
    if (pixels >= NARROW) element.textContent = shortened(label, pixels);
    element.title = `${label}\n${describe(index)}`;
    element.dataset.index = index;
    element.tabIndex = index === state.selected ? 0 : -1;
    element.setAttribute("role", "treeitem");
    element.setAttribute("aria-level", state.view.depth[index] + 1);
    element.setAttribute("aria-label", `${label}, ${describe(index)}`);
    element.setAttribute("aria-selected", index === state.selected);
    return element;
  }

  // Where frames are too narrow to draw, something is drawn all the same. They come largest first, so they lie together.
  function filler(hidden, whole) {
    const { total, start } = sums();
    const element = document.createElement("div");
    const sum = hidden.reduce((size, index) => size + total[index], 0);
    const left = Math.min(...hidden.map((index) => start[index]));
    element.className = "small";
    element.setAttribute("aria-hidden", "true");
    element.style.left = `${(left - start[state.zoom]) / whole * 100}%`;
    element.style.width = `${sum / whole * 100}%`;
    element.style.top = `${state.view.depth[hidden[0]] * ROW}px`;
    return element;
  }

  function draw() {
    const { total, start } = sums();
    const room = graph.clientWidth || 1;
    const whole = total[state.zoom] || 1;
    const boxes = new Map();
    for (const index of above(state.zoom)) boxes.set(index, box(index, 0, 1, room));
    const small = [];
    const open = [state.zoom];
    let deepest = state.view.depth[state.zoom];
    while (open.length) {
      const index = open.pop();
      const width = index === state.zoom ? 1 : total[index] / whole;
      const left = (start[index] - start[state.zoom]) / whole;
      boxes.set(index, box(index, left, width, width * room));
      deepest = Math.max(deepest, state.view.depth[index]);
      const hidden = [];
      for (const child of [...state.view.children[index]].reverse()) {
        (total[child] / whole * room < LEAST ? hidden : open).push(child);
      }
      if (hidden.length) small.push(filler(hidden, whole));
    }
    state.boxes = boxes;
    graph.style.height = `${(deepest + 1) * ROW}px`;
    graph.replaceChildren(...small, ...boxes.values());
    byId("out").disabled = state.zoom === 0;
    tellFound();
  }

  function show(index) {
    const { bytes: size, count } = state.view.sums;
    const title = document.createElement("b");
    title.textContent = name(index);
    const parts = [
      `${bytes(size.total[index])} (${percent(size.total[index], size.total[0])} of all)`,
      counted(count.total[index], "object"),
    ];
    if (state.view.count[index] !== count.total[index]) {
      parts.push(`here alone ${bytes(state.view.bytes[index])}, ${counted(state.view.count[index], "object")}`);
    }
    if (state.zoom !== 0 && state.zoom !== index) {
      parts.push(`${percent(size.total[index], size.total[state.zoom])} of what is shown`);
    }
    byId("details").replaceChildren(title, document.createTextNode(parts.join(" · ")));
  }

  // ---- what the user does

  function select(index, focus = true) {
    for (const at of [state.selected, index]) {
      const element = state.boxes.get(at);
      if (!element) continue;
      element.tabIndex = at === index ? 0 : -1;
      element.setAttribute("aria-selected", at === index);
    }
    state.selected = index;
    const element = state.boxes.get(index);
    if (focus && element) {
      element.focus({ preventScroll: true });
      element.scrollIntoView({ block: "nearest" });
    }
    show(index);
  }

  function zoom(index) {
    state.zoom = index;
    state.selected = index;
    draw();
    select(index);
  }

  const zoomOut = () => { if (state.zoom !== 0) zoom(state.view.parent[state.zoom]); };

  function sibling(step) {
    if (state.selected === 0 || state.boxes.get(state.selected)?.classList.contains("above")) return;
    const shown = state.view.children[state.view.parent[state.selected]].filter((index) => state.boxes.has(index));
    const next = shown[shown.indexOf(state.selected) + step];
    if (next !== undefined) select(next);
  }

  function down() {
    const next = state.view.children[state.selected].find((index) => state.boxes.has(index));
    if (next !== undefined) select(next);
  }

  const keys = {
    ArrowDown: down,
    ArrowUp: () => { if (state.selected !== 0) select(state.view.parent[state.selected]); },
    ArrowLeft: () => sibling(-1),
    ArrowRight: () => sibling(1),
    Enter: () => zoom(state.selected),
    " ": () => zoom(state.selected),
    Escape: zoomOut,
    Backspace: zoomOut,
    Home: () => zoom(0),
  };

  function matchesOf(view) {
    const hits = new Set();
    if (state.needle) {
      view.labels.forEach((label, number) => { if (label.toLowerCase().includes(state.needle)) hits.add(number); });
    }
    const matches = new Set();
    view.label.forEach((label, index) => { if (hits.has(label)) matches.add(index); });
    return matches;
  }

  // In all views: what is not in this one may be in another.
  function find() {
    state.needle = search.value.trim().toLowerCase();
    views.forEach((view, number) => {
      const matches = matchesOf(view);
      if (view === state.view) state.matches = matches;
      byId("views").children[number].textContent = state.needle ? `${view.title} (${grouped(matches.size)})` : view.title;
    });
    graph.classList.toggle("searching", state.needle !== "");
    for (const [index, element] of state.boxes) element.classList.toggle("match", state.matches.has(index));
    tellFound();
  }

  // What lies in a frame that was found is not counted again.
  function tellFound() {
    if (!state.needle) {
      byId("found").textContent = "";
      return;
    }
    const { total } = sums();
    let sum = 0;
    let found = 0;
    const open = [state.zoom];
    while (open.length) {
      const index = open.pop();
      if (state.matches.has(index)) {
        sum += total[index];
        found += 1;
      } else {
        open.push(...state.view.children[index]);
      }
    }
    const size = state.unit === "bytes" ? bytes(sum) : counted(sum, "object");
    byId("found").textContent = found
      ? `${counted(found, "frame")}, ${size}, ${percent(sum, total[state.zoom])}`
      : state.matches.size ? "found outside of what is shown" : "nothing found";
  }

  // What is too small to be drawn is zoomed into.
  function nextMatch(step) {
    const all = [...state.matches];
    if (!all.length) return;
    const at = all.indexOf(state.selected);
    const next = all[at < 0 ? 0 : (at + step + all.length) % all.length];
    if (!state.boxes.has(next)) {
      state.zoom = next;
      draw();
    }
    select(next, false);
    state.boxes.get(next).scrollIntoView({ block: "nearest" });
  }

  function use(view) {
    state.view = view;
    state.zoom = state.selected = 0;
    byId("about").textContent = (data.partial ? LEAKED : ABOUT)[view.name] || "";
    for (const button of byId("views").children) {
      button.setAttribute("aria-pressed", button.dataset.view === view.name);
    }
    entitle();
    draw();
    find();
    show(0);
  }

  function entitle() {
    const what = state.unit === "bytes" ? "memory" : "objects";
    const title = `${data.partial ? "Leaked" : "All"} ${what} ${TITLES[state.view.name] || ""}: ${data.title}`;
    byId("title").textContent = title;
    if (document.body.classList.contains("flame-page")) document.title = title;
  }

  function setUnit(unit) {
    state.unit = unit;
    for (const button of byId("units").children) button.setAttribute("aria-pressed", button.dataset.unit === unit);
    entitle();
    draw();
  }

  // ---- the start

  for (const view of views) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = view.title;
    button.dataset.view = view.name;
    button.addEventListener("click", () => use(view));
    byId("views").append(button);
  }
  for (const button of byId("units").children) {
    button.addEventListener("click", () => setUnit(button.dataset.unit));
  }
  byId("out").addEventListener("click", zoomOut);
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextMatch(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") {
      search.value = "";
      find();
      select(state.selected);
      event.preventDefault();
    }
  });
  const indexOf = (event) => {
    const element = event.target.closest(".frame");
    return element ? Number(element.dataset.index) : null;
  };
  graph.addEventListener("click", (event) => { if (indexOf(event) !== null) zoom(indexOf(event)); });
  graph.addEventListener("mouseover", (event) => { if (indexOf(event) !== null) show(indexOf(event)); });
  graph.addEventListener("mouseleave", () => show(state.selected));
  graph.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const part = graph.closest("details");
    if (part) part.open = true;
    search.focus();
    search.select();
  });
  // Also when a part of a page is opened, or printed.
  let drawn = 0;
  new ResizeObserver(() => {
    if (graph.clientWidth === drawn || !state.view) return;
    drawn = graph.clientWidth;
    const focused = document.activeElement?.classList.contains("frame");
    draw();
    if (focused) select(state.selected);
  }).observe(graph);

  const all = views[0].sums;
  byId("summary").textContent =
    `${counted(all.count.total[0], data.partial ? "leaked object" : "object")}, ${bytes(all.bytes.total[0])}`;
  state.view = views[0];
  setUnit(all.bytes.total[0] > 0 ? "bytes" : "count");
  use(views[0]);
})();
