"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const audio = get("audio");
  const state = { concept: null, arm: null, prompt: null, seed: null, strength: 0, metric: data.metrics[0] };

  function number(value) {
    if (value === null || value === undefined) return "n/a";
    return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  }
  function signed(value) {
    return (value > 0 ? "+" : "") + number(value).replace("-", "−");
  }
  function make(name, attributes, parent) {
    const space = "http://www.w3.org/2000/svg";
    const made = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (parent) parent.appendChild(made);
    return made;
  }
  const armIndex = (name) => data.arms.findIndex((arm) => arm.name === name);
  const colour = (name) => "var(--arm-" + (armIndex(name) % 6) + ")";
  /** A solid line for as many methods as there are colours, dashes for those after them. */
  const dashes = (name) => (armIndex(name) < 6 ? "none" : "5 3");
  const conceptOf = (name) => data.concepts.find((concept) => concept.name === name);
  const unit = (concept) => data.units.alignment[state.metric][concept];

  /* ---- choosing a sweep: concept, method, prompt, seed ---- */

  function pills(id, names, key, dot) {
    const box = get(id);
    box.textContent = "";
    for (const name of names) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      const span = document.createElement("span");
      input.type = "radio";
      input.name = id;
      input.value = name;
      input.checked = name === state[key];
      input.addEventListener("change", () => choose({ [key]: name }));
      if (dot) {
        const mark = document.createElement("i");
        mark.style.background = colour(name);
        span.appendChild(mark);
      }
      span.appendChild(document.createTextNode(name));
      label.append(input, span);
      box.appendChild(label);
    }
  }
  function options(id, values, key) {
    const select = get(id);
    select.textContent = "";
    for (const value of values) select.add(new Option(String(value), String(value), false, value === state[key]));
  }
  const unique = (values) => Array.from(new Set(values));
  const among = (values, wanted) => (values.includes(wanted) ? wanted : values[0]);

  /** Take what was chosen, mend the rest to what exists, and show it. */
  function choose(change, view) {
    Object.assign(state, change);
    let rest = data.players;
    for (const key of ["concept", "arm", "prompt", "seed"]) {
      const values = unique(rest.map((one) => one[key]));
      state[key] = among(values, state[key]);
      if (key === "concept") pills("concepts", values, key, false);
      else if (key === "arm") pills("arms", values, key, true);
      else options(key, values, key);
      if (key === "seed") get("seed-label").hidden = values.length < 2;
      rest = rest.filter((one) => one[key] === state[key]);
    }
    const clips = rest[0].clips;
    const sizes = clips.map((clip) => Math.abs(clip.strength - state.strength));
    showSweep(clips, sizes.indexOf(Math.min(...sizes)));
    if (view) get(view).scrollIntoView({ behavior: "smooth", block: "center" });
    else if (change.concept) document.querySelector("#concepts input:checked").focus();
    else if (change.arm) document.querySelector("#arms input:checked").focus();
  }

  /* ---- the player ---- */

  let sweep = [];
  let before = null;

  function showSweep(clips, index) {
    sweep = clips;
    before = null;
    const concept = conceptOf(state.concept);
    const slider = get("strength");
    slider.max = String(clips.length - 1);
    get("low").textContent = concept.negative.replace("{p}", "…");
    get("high").textContent = concept.positive.replace("{p}", "…");
    get("text").textContent = concept.neutral.replace("{p}", state.prompt);
    get("ticks").textContent = "";
    const middle = clips.findIndex((clip) => clip.strength === 0);
    clips.forEach((clip, place) => {
      const tick = document.createElement("span");
      if (labelled(place, middle, clips.length)) tick.textContent = clip.strength === 0 ? "0" : signed(clip.strength);
      get("ticks").appendChild(tick);
    });
    showClip(index);
  }

  /** Few enough labels to stand side by side on a telephone: both ends, and some around the middle. */
  function labelled(place, middle, count) {
    const step = Math.ceil(count / 6);
    const end = Math.min(place, count - 1 - place);
    return end === 0 || ((place - middle) % step === 0 && end >= step / 2);
  }

  function showClip(index) {
    const clip = sweep[index];
    const plain = sweep.find((one) => one.strength === 0);
    state.strength = clip.strength;
    get("strength").value = String(index);
    get("strength").setAttribute("aria-valuetext", signed(clip.strength));
    get("value").textContent = clip.strength === 0 ? "0 (unsteered)" : signed(clip.strength);
    Array.from(get("ticks").children).forEach((tick, place) => tick.classList.toggle("now", place === index));
    get("compare").setAttribute("aria-pressed", String(before !== null));
    get("picture").src = "pictures/" + clip.id + ".png";
    const value = clip.alignment[state.metric];
    const gain = plain ? value - plain.alignment[state.metric] : 0;
    const readout = get("readout");
    readout.textContent = number(value) + " " + unit(state.concept);
    const small = document.createElement("small");
    small.textContent =
      clip.strength === 0
        ? "unsteered"
        : signed(gain) + " against unsteered · changed by " + number(clip.change) + " (" + data.preservation + ")";
    readout.appendChild(small);
    swap("audio/" + clip.id + ".flac");
    drawNow();
  }

  /** Play another file from where the present one stands. */
  function swap(source) {
    if (audio.getAttribute("src") === source) return;
    wanted = !audio.paused && !audio.ended;
    load(source, audio.currentTime);
  }
  let wanted = false;
  let again = "";
  function load(source, place) {
    get("trouble").hidden = true;
    audio.src = source;
    if (place > 0) audio.currentTime = place;
    if (wanted) play();
  }
  /** Some browsers cannot seek in very short FLAC files: such a clip starts over; any other trouble is shown. */
  function recover() {
    const source = audio.getAttribute("src");
    if (again === source) {
      get("trouble").hidden = false;
      return;
    }
    again = source;
    load(source, 0);
  }
  function play() {
    // A swap interrupts the older request on purpose, and a file that cannot be read reports itself as an error.
    audio.play().catch((error) => {
      if (error.name === "NotAllowedError") get("trouble").hidden = false;
    });
  }
  function paint() {
    const length = audio.duration || 0;
    const part = length ? Math.min(1, audio.currentTime / length) : 0;
    get("playhead").style.left = (100 * part).toFixed(2) + "%";
    get("position").value = String(Math.round(1000 * part));
    get("position").setAttribute("aria-valuetext", audio.currentTime.toFixed(1) + " seconds");
    get("time").textContent = audio.currentTime.toFixed(1) + " / " + length.toFixed(1) + " s";
    if (!audio.paused) requestAnimationFrame(paint);
  }
  function wire() {
    const button = get("play");
    button.addEventListener("click", () => (audio.paused ? play() : audio.pause()));
    for (const name of ["play", "pause", "ended"]) {
      audio.addEventListener(name, () => {
        button.classList.toggle("on", !audio.paused);
        button.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
        paint();
      });
    }
    for (const name of ["loadedmetadata", "seeked", "timeupdate"]) audio.addEventListener(name, paint);
    audio.addEventListener("error", recover);
    audio.addEventListener("loadeddata", () => (again = ""));
    audio.loop = get("loop").checked;
    get("loop").addEventListener("change", (event) => (audio.loop = event.target.checked));
    get("position").addEventListener("input", (event) => {
      if (audio.duration) audio.currentTime = (audio.duration * Number(event.target.value)) / 1000;
    });
    get("strength").addEventListener("input", (event) => {
      before = null;
      showClip(Number(event.target.value));
    });
    get("compare").addEventListener("click", () => {
      const here = Number(get("strength").value);
      const zero = sweep.findIndex((clip) => clip.strength === 0);
      const back = before;
      before = back === null ? here : null;
      showClip(back === null ? zero : back);
    });
    get("prompt").addEventListener("change", (event) => choose({ prompt: event.target.value }));
    get("seed").addEventListener("change", (event) => choose({ seed: Number(event.target.value) }));
    get("metric").addEventListener("change", (event) => {
      state.metric = event.target.value;
      drawCharts();
      choose({});
    });
  }

  /* ---- the curves ---- */

  const box = { width: 350, height: 270, left: 44, right: 10, top: 10, bottom: 38 };
  let marks = [];

  function ticks(low, high, count) {
    const raw = (high - low) / count || 1;
    const power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
    const found = [];
    for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) {
      found.push(Math.abs(value) < step * 1e-9 ? 0 : value);
    }
    return found;
  }

  function scale(results) {
    const changes = [0];
    const gains = [0];
    for (const result of results) {
      for (const cutoff of result.cutoffs) if (cutoff !== null) changes.push(cutoff);
      for (const point of result.points) {
        changes.push(point.change.value);
        for (const value of [point.gain.value, point.gain.low, point.gain.high]) if (value !== null) gains.push(value);
      }
    }
    const right = Math.max(...changes) * 1.04 || 1;
    let [low, high] = [Math.min(...gains), Math.max(...gains)];
    const room = (high - low || 1) * 0.05;
    [low, high] = [low - room, high + room];
    return {
      right, low, high,
      x: (value) => box.left + ((box.width - box.left - box.right) * value) / right,
      y: (value) => box.height - box.bottom - ((box.height - box.top - box.bottom) * (value - low)) / (high - low),
    };
  }

  function drawCharts() {
    const charts = get("charts");
    charts.textContent = "";
    marks = [];
    for (const concept of data.concepts) {
      const results = data.results.filter((one) => one.concept === concept.name && one.metric === state.metric);
      if (!results.length) continue;
      const figure = document.createElement("figure");
      const caption = document.createElement("figcaption");
      const small = document.createElement("small");
      caption.textContent = concept.name + " ";
      small.textContent = "gain in " + unit(concept.name);
      caption.appendChild(small);
      figure.appendChild(caption);
      figure.appendChild(drawChart(concept.name, results));
      charts.appendChild(figure);
    }
    drawNow();
  }

  function drawChart(concept, results) {
    const chart = make("svg", {
      class: "chart", viewBox: "0 0 " + box.width + " " + box.height, role: "img",
      "aria-label": "Gain in " + concept + " over change of the clip, per method; the numbers are in the table below",
    });
    const at = scale(results);
    const floor = box.height - box.bottom;
    for (const value of ticks(0, at.right, 5)) {
      const x = at.x(value);
      make("line", { class: "grid", x1: x, x2: x, y1: box.top, y2: floor }, chart);
      make("text", { x, y: floor + 16, "text-anchor": "middle" }, chart).textContent = number(value);
    }
    for (const value of ticks(at.low, at.high, 6)) {
      const y = at.y(value);
      make("line", { class: value === 0 ? "zero" : "grid", x1: box.left, x2: box.width - box.right, y1: y, y2: y }, chart);
      make("text", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, chart).textContent = signed(value);
    }
    make("text", { x: (box.left + box.width) / 2, y: box.height - 4, "text-anchor": "middle" }, chart).textContent =
      "change (" + data.preservation + ")";
    [[0, box.top, at.y(0)], [1, at.y(0), floor]].forEach(([side, y1, y2]) => {
      const limit = results[0].cutoffs[side];
      if (limit !== null) make("line", { class: "limit", x1: at.x(limit), x2: at.x(limit), y1, y2 }, chart);
    });
    for (const result of results) drawBand(chart, at, result);
    for (const result of results) drawLine(chart, at, result);
    return chart;
  }

  function drawBand(chart, at, result) {
    for (const side of [1, -1]) {
      const known = result.points.filter((point) => side * point.strength >= 0 && point.gain.low !== null);
      const there = known.map((point) => at.x(point.change.value) + "," + at.y(point.gain.high));
      const back = known.map((point) => at.x(point.change.value) + "," + at.y(point.gain.low)).reverse();
      if (known.length > 1) {
        const points = there.concat(back).join(" ");
        const band = make("polygon", { class: "band", points, fill: colour(result.arm), opacity: 0.13 }, chart);
        band.dataset.arm = result.arm;
      }
    }
  }

  function mark(index, x, y, size) {
    const shapes = [
      "M" + (x - size) + " " + y + "a" + size + " " + size + " 0 1 0 " + 2 * size + " 0a" + size + " " + size + " 0 1 0 " + -2 * size + " 0z",
      "M" + (x - size) + " " + (y - size) + "h" + 2 * size + "v" + 2 * size + "h" + -2 * size + "z",
      "M" + x + " " + (y - 1.25 * size) + "l" + 1.2 * size + " " + 2.2 * size + "h" + -2.4 * size + "z",
      "M" + x + " " + (y - 1.3 * size) + "l" + 1.3 * size + " " + 1.3 * size + "l" + -1.3 * size + " " + 1.3 * size + "l" + -1.3 * size + " " + -1.3 * size + "z",
    ];
    return shapes[index % shapes.length];
  }

  function drawLine(chart, at, result) {
    const path = result.points.map((point) => at.x(point.change.value) + "," + at.y(point.gain.value)).join(" ");
    const look = { stroke: colour(result.arm), "stroke-width": 1.8, "stroke-dasharray": dashes(result.arm) };
    make("polyline", { points: path, fill: "none", ...look }, chart);
    for (const point of result.points) {
      const [x, y] = [at.x(point.change.value), at.y(point.gain.value)];
      const shape = mark(armIndex(result.arm), x, y, 4);
      const dot = make("path", { d: shape, class: "point", fill: colour(result.arm) }, chart);
      const range = point.gain.low === null ? "" : " [" + signed(point.gain.low) + ", " + signed(point.gain.high) + "]";
      make("title", {}, dot).textContent =
        result.arm + ", strength " + signed(point.strength) + ": gain " + signed(point.gain.value) + range +
        ", change " + number(point.change.value);
      dot.addEventListener("click", () =>
        choose({ concept: result.concept, arm: result.arm, strength: point.strength }, "player"));
      marks.push({ concept: result.concept, arm: result.arm, strength: point.strength, x, y, chart });
    }
  }

  /** Ring the point that is being heard. Of many methods only the one that is heard has a band. */
  function drawNow() {
    document.querySelectorAll(".chart .band").forEach((band) => {
      band.style.display = data.bands || band.dataset.arm === state.arm ? "" : "none";
    });
    document.querySelectorAll(".chart .now").forEach((ring) => ring.remove());
    for (const one of marks) {
      if (one.concept === state.concept && one.arm === state.arm && one.strength === state.strength) {
        make("circle", { class: "now", cx: one.x, cy: one.y, r: 8 }, one.chart);
      }
    }
  }

  function drawLegend() {
    data.arms.forEach((arm, index) => {
      const item = document.createElement("span");
      const line = make("svg", { viewBox: "0 0 32 14", "aria-hidden": "true" });
      make("line", { x1: 0, x2: 32, y1: 7, y2: 7, stroke: colour(arm.name), "stroke-width": 1.8, "stroke-dasharray": dashes(arm.name) }, line);
      make("path", { d: mark(index, 16, 7, 4), fill: colour(arm.name) }, line);
      item.append(line, document.createTextNode(arm.name));
      get("legend").appendChild(item);
    });
  }

  /* ---- the heat map's detail line ---- */

  const detail = get("heat-detail");
  if (detail) {
    document.querySelectorAll(".heat td").forEach((cell) => {
      const tell = () => (detail.textContent = cell.title);
      cell.addEventListener("mouseenter", tell);
      cell.addEventListener("focus", tell);
    });
  }

  for (const name of data.metrics) get("metric").add(new Option(name, name));
  get("metric-label").hidden = data.metrics.length < 2;
  wire();
  drawLegend();
  if (data.players.length) {
    choose({});
    drawCharts();
  } else {
    get("player").hidden = true;
  }
})();
