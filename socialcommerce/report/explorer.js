// A declared mode in the page: sliders, the trajectory, the reproduction number and what each loop adds to it.
const explore = (id, spec, engine) => {
  const mode = engine.modes[spec.mode], at = new Map(mode.states.map((state, i) => [state.name, i]));
  const shownBy = new Map(mode.parameters.map((one) => [one.name, one])), label = (i) => spec.words.states[mode.states[i].name];
  const sliders = spec.sliders.map(([name, step]) => ({ ...shownBy.get(name), step }));

  const make = (tag, attributes, ...inside) => {
    const svg = ["svg", "path", "line", "text", "rect"].includes(tag);
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
    node.append(...inside);
    return node;
  };
  const shown = (value) => Number(value.toPrecision(3)).toString();
  const values = Object.fromEntries(mode.parameters.map((one) => [one.name, spec.given[one.name] ?? one.default]));
  const figure = document.getElementById(id), place = figure.querySelector(".drawing");
  const chart = make("div", { class: "chart", role: "img" }), bars = make("div", { class: "loops" });
  const verdict = make("p", { class: "verdict", "aria-live": "polite" }), controls = make("div", { class: "controls" });
  const outputs = new Map();
  const line = (rows, i, width, height, top) => rows.map((row, k) =>
    `${k ? "L" : "M"}${(50 + (width - 75) * k / (rows.length - 1)).toFixed(1)} ${(height - 30 - (height - 45) * row[i] / top).toFixed(1)}`).join("");
  const plot = (rows) => {
    const width = 640, height = 300, drawn = spec.drawn.map((name) => at.get(name));
    const highest = Math.max(...rows.flatMap((row) => drawn.map((i) => row[i]))), power = 10 ** Math.floor(Math.log10(highest || 1));
    const top = Math.ceil(highest / power * 2) / 2 * power || 1;
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}` });
    for (let k = 0; k <= 4; k++) {
      const y = height - 30 - (height - 45) * k / 4, x = 50 + (width - 75) * k / 4;
      svg.append(make("line", { x1: 50, x2: width - 25, y1: y, y2: y, class: "rule" }),
        make("text", { x: 45, y: y + 4, "text-anchor": "end" }, shown(top * k / 4)),
        make("text", { x, y: height - 9, "text-anchor": "middle" }, Math.round(spec.days * k / 4)));
    }
    drawn.forEach((i, k) => svg.append(make("path", { d: line(rows, i, width, height, top), class: `series series-${k + 1}` })));
    const legend = make("p", { class: "legend" }, ...drawn.map((i, k) => make("span", {},
      make("svg", { viewBox: "0 0 32 6", class: "key" }, make("path", { d: "M0 3H32", class: `series series-${k + 1}` })), label(i))));
    chart.replaceChildren(svg, make("p", { class: "axis" }, spec.words.axis), legend);
    chart.setAttribute("aria-label", `${spec.words.end}: ` + drawn.map((i) => `${label(i)} ${shown(rows.at(-1)[i])}`).join(", "));
  };
  const gauge = (value, most, name) => make("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "gauge", role: "img", "aria-label": `${name} ${value.toFixed(3)}` },
    make("rect", { width: 100, height: 8 }), make("rect", { width: 100 * value / most, height: 8, class: "part" }));
  const update = () => {
    sliders.forEach((one) => { outputs.get(one.name).textContent = shown(values[one.name]) + spec.words.units[one.unit]; });
    const parts = engine.loops(mode, values), R0 = parts.reduce((a, b) => a + b);
    const rows = engine.simulate(mode, values, spec.start, spec.days, spec.dt);
    verdict.replaceChildren("R", make("sub", {}, "0"), ` = ${R0.toFixed(3)}${spec.words.colon}${R0 > 1 ? spec.words.above : spec.words.below}`);
    bars.replaceChildren(make("p", {}, spec.words.loops), ...mode.carrying.flatMap((i, c) => (parts[c] > 1e-12 ? [make("div", {},
      make("span", {}, label(i)), gauge(parts[c], Math.max(1, R0), label(i)),
      make("output", {}, parts[c].toFixed(3)))] : [])));
    plot(rows);
    return { R0, parts, rows };
  };
  // the address says what was moved, so that a link shows the same run
  const first = { ...values };
  const keep = () => {
    const moved = sliders.filter((one) => values[one.name] !== first[one.name]).map((one) => `${one.name}=${values[one.name]}`);
    history.replaceState(null, "", `#${id}${moved.length ? "?" : ""}${moved.join("&")}`);
  };
  const move = (given) => {
    Object.assign(values, first, given);
    sliders.forEach((one) => { document.getElementById(`${id}-${one.name}`).value = values[one.name]; });
    return update();
  };
  const follow = () => {
    const [where, moved] = decodeURIComponent(location.hash.slice(1)).split("?");
    if (where !== id || !moved) return;
    const given = [...new URLSearchParams(moved)].filter(([name, value]) => sliders.some((one) => one.name === name && Number(value) >= one.lower && Number(value) <= one.upper));
    move(Object.fromEntries(given.map(([name, value]) => [name, Number(value)])));
    figure.scrollIntoView();
  };
  sliders.forEach((one) => {
    const input = make("input", { type: "range", min: one.lower, max: one.upper, step: one.step, value: values[one.name], id: `${id}-${one.name}`, "data-parameter": one.name });
    const output = make("output", { for: input.id });
    outputs.set(one.name, output);
    input.addEventListener("input", () => { values[one.name] = Number(input.value); update(); keep(); });
    controls.append(make("label", { for: input.id }, spec.words.parameters[one.name], make("i", {}, one.symbol[0], make("sub", {}, one.symbol.slice(1)))), input, output);
  });
  const reset = make("button", { type: "button" }, spec.words.reset);
  reset.addEventListener("click", () => { move({}); keep(); });
  const save = make("a", { download: `${mode.name}.csv`, class: "save" }, spec.words.save);
  save.addEventListener("click", () => {
    const rows = engine.simulate(mode, values, spec.start, spec.days, spec.dt);
    const lines = [["day", ...mode.states.map((state) => state.name)], ...rows.map((row, k) => [k * spec.dt, ...row])];
    save.href = URL.createObjectURL(new Blob([lines.map((line) => line.join(",") + "\n").join("")], { type: "text/csv" }));
  });
  save.href = "#" + id;
  place.replaceChildren(verdict, bars, chart, controls, make("p", { class: "buttons" }, reset, save));
  place.removeAttribute("role");
  place.removeAttribute("aria-label");
  place.classList.add("explorer");
  figure.explorer = { set: (given) => { Object.assign(values, given); return update(); } };
  update();
  follow();
  addEventListener("hashchange", follow);
};
