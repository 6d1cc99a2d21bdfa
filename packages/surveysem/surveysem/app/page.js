// The page: it shows the model that the server holds, and sends every change back. Texts are set as text, never as HTML.
"use strict";

const $ = id => document.getElementById(id);
const words = JSON.parse($("words").textContent);
const language = document.body.dataset.language;
const number = n => n.toLocaleString(language);
const w = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const NAME = /^[A-Za-z][A-Za-z0-9_.]*$/;
const OTHERS = ["controls", "checks", "left"];
const WIDE = 150, HIGH = 52, GAP = 80, APART = 20, EDGE = 20;
const ROOM = 17; // places of a line in a construct, of which a Chinese character takes two

let facts = null, model = null, revision = 0, told = {};
let chosen = 0;      // the place of the item that the bar is about
let source = null;   // the index of the construct a path is to start from
let seen = 0, watching = 0, state = "idle";
let parts = {}, cells = {}, doing = {}; // of the run: how far each notebook is, and what those that are not finished do

function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function draw_as(tag, settings, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(settings)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const say = text => { $("live").textContent = text; };
function notice(text) { $("notice").textContent = text; $("notice").hidden = !text; }

async function api(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {method, body, headers: method === "GET" ? {} : {"X-Surveysem": "1"}});
  } catch {
    throw new Error(w("gone"));
  }
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  const wrong = new Error(found.said ? w("refused", {said: found.said}) : words[found.key] ?? w("fault"));
  wrong.key = found.key;
  throw wrong;
}

// ---- the model ----

const tongue = text => /[\u4e00-\u9fff]/.test(text) ? "zh" : "en";
const title = ({name, titles}) => titles[language] ?? titles.en ?? titles.zh ?? name;
const full = () => model.constructs.filter(construct => construct.items.length || construct.parts.length);
function drawn() { // a dimension stands for itself in no path
  const parts = model.constructs.flatMap(construct => construct.parts);
  return full().filter(construct => !parts.includes(construct.name));
}
const index = name => model.constructs.findIndex(construct => construct.name === name);
const called = name => title(model.constructs[index(name)]);

function boxes() {
  const own = model.constructs.map((construct, k) => ({key: `c${k}`, title: title(construct), items: construct.items, construct}));
  return [...own, ...OTHERS.map(key => ({key, title: w(key), items: model[key]}))];
}

const home = place => boxes().find(box => box.items.includes(place));
function fits(place, box) {
  if (box.construct?.parts.length) return false;
  return box.key === "left" || (box.key === "checks" ? facts.columns[place].check : facts.columns[place].item);
}

function move(place, key) {
  const from = home(place), to = boxes().find(box => box.key === key), name = facts.columns[place].heading;
  if (!to || to.key === from.key) return;
  if (!fits(place, to)) return notice(w("fixed", {name}));
  from.items.splice(from.items.indexOf(place), 1);
  to.items.push(place);
  if (model.group === place && key !== "controls") model.group = 0;
  say(w("moved", {name, place: to.title}));
  changed();
}

function rename(construct, text) {
  text = text.trim().replace(/\s+/g, " ").slice(0, 100);
  const others = model.constructs.filter(other => other !== construct);
  if (!text || text === title(construct)) return draw();
  if (others.some(other => other.name === text || title(other) === text)) {
    notice(w("taken", {name: text}));
  } else if (NAME.test(text) && !facts.reserved.includes(text) && !Object.keys(construct.titles).length) {
    const old = new RegExp(`(?<![\\w.])${construct.name.replaceAll(".", "\\.")}(?![\\w.])`, "g"), renewed = said => said.replace(old, text);
    for (const path of model.paths) [path.from, path.to] = [renewed(path.from), renewed(path.to)];
    model.kept = model.kept.map(line => {
      const begin = line.startsWith("moderation.") ? "moderation.".length : line.indexOf(" = ");
      return line.slice(0, begin) + renewed(line.slice(begin));
    });
    for (const other of model.constructs) other.parts = other.parts.map(renewed);
    construct.name = text;
  } else { // models keep the short name
    construct.titles = {...(tongue(text) === language ? construct.titles : {}), [tongue(text)]: text};
  }
  changed();
}

function reaches(from, to) {
  return from === to || model.paths.some(path => path.from === from && reaches(path.to, to));
}

function connect(from, to) {
  const values = {from: called(from), to: called(to)};
  if (from === to) return draw();
  if (model.paths.some(path => path.from === from && path.to === to)) return refuse(w("exists", values));
  if (reaches(to, from)) return refuse(w("circle", values));
  model.paths.push({from, to, sign: 1});
  say(w("drawn", values));
  changed();
}

function refuse(text) { draw(); notice(text); }

let timer = 0, sending = Promise.resolve();
function changed() {
  notice("");
  draw();
  clearTimeout(timer);
  timer = setTimeout(send, 150);
}

function send() { // one after the other: each bears the revision that the one before was given
  clearTimeout(timer);
  timer = 0;
  const body = structuredClone(model);
  sending = sending.then(async () => {
    try {
      ({revision, told} = await api("POST", "/api/state", JSON.stringify({revision, model: body})));
      show_told();
    } catch (wrong) {
      if (wrong.key === "other_tab") await load();
      notice(wrong.message);
    }
  });
  return sending;
}

// ---- what is shown ----

function draw() {
  $("begin").hidden = !!facts;
  $("work").hidden = $("open").hidden = !facts;
  if (!facts) return;
  const focus = document.activeElement?.id;
  draw_boxes();
  draw_bar();
  draw_diagram();
  draw_lists();
  show_told();
  if (focus && document.activeElement?.id !== focus) $(focus)?.focus({preventScroll: true});
}

function draw_boxes() {
  $("guessed").hidden = !facts.guessed;
  const open = facts.questions.map((text, k) => [text, k]).filter(([, k]) => !model.decided.includes(k));
  $("asked").hidden = !open.length;
  $("questions").replaceChildren(...open.map(([text, k]) => {
    const done = make("button", {type: "button", id: `q${k}`, "aria-label": `${w("decided")}: ${text}`}, w("decided"));
    done.onclick = () => { model.decided.push(k); changed(); };
    return make("li", {}, text, done);
  }));
  $("boxes").replaceChildren(...boxes().map(box => {
    const shown = make("div", {className: box.construct ? "box" : "box other", role: "group", "aria-label": box.title});
    shown.dataset.box = box.key;
    shown.append(box.construct ? head(box) : make("h3", {}, box.title), ...box.items.map(chip));
    if (!box.items.length) shown.append(make("p", {className: "void"}, box.construct?.parts.map(called).join(w("comma")) || w("none_here")));
    return shown;
  }));
}

function head({construct, key}) {
  const name = make("input", {id: `name-${key}`, value: title(construct), title: title(construct), maxLength: 100, "aria-label": w("name_of", {name: title(construct)})});
  name.onchange = () => rename(construct, name.value);
  const shown = make("div", {className: "head"}, name);
  if (title(construct) !== construct.name) shown.append(make("code", {}, construct.name));
  if (!construct.items.length && !construct.parts.length) {
    const remove = make("button", {type: "button", "aria-label": w("remove_construct", {name: title(construct)})}, "×");
    remove.onclick = () => {
      model.constructs.splice(model.constructs.indexOf(construct), 1);
      model.paths = model.paths.filter(path => path.from !== construct.name && path.to !== construct.name);
      source = null;
      changed();
    };
    shown.append(remove);
  }
  return shown;
}

function chip(place) {
  const column = facts.columns[place], turned = model.reversed.includes(place) && !!home(place).construct;
  const shown = make("button", {type: "button", id: `i${place}`, className: "chip", title: [column.wording, ...column.why].filter(Boolean).join(w("semicolon")),
    "aria-pressed": chosen === place, "aria-label": column.heading + (turned ? `, ${w("reversed")}` : "")},
    make("span", {className: "grip", "aria-hidden": "true"}, "⠿"), make("span", {className: "text"}, column.heading + (turned ? " ⇄" : "")));
  shown.classList.toggle("fixed", boxes().filter(box => fits(place, box)).length < 2);
  shown.dataset.place = place;
  shown.onclick = event => choose(place, event.detail === 0);
  return shown;
}

function choose(place, by_key) {
  chosen = chosen === place ? 0 : place;
  if (chosen) say(w("selected", {name: facts.columns[place].heading}));
  draw();
  if (chosen && by_key) $("move-to").focus();
}

function let_go(place = chosen) {
  chosen = 0;
  draw();
  $(`i${place}`)?.focus();
}

function draw_bar() {
  $("bar").hidden = !chosen;
  if (!chosen) return;
  const column = facts.columns[chosen], box = home(chosen), allowed = boxes().filter(other => fits(chosen, other));
  $("bar-name").textContent = column.heading;
  $("bar-wording").textContent = column.heading.includes(column.wording) ? "" : column.wording;
  $("bar-why").textContent = column.why.join(w("semicolon"));
  $("move-to").replaceChildren(...allowed.map(other => make("option", {value: other.key, selected: other.key === box.key}, other.title)));
  $("move").disabled = allowed.length < 2;
  $("turn").hidden = !box.construct;
  $("reversed").checked = model.reversed.includes(chosen);
}

function draw_lists() {
  const names = drawn().map(construct => construct.name);
  for (const id of ["from", "to"]) {
    const held = $(id).value;
    $(id).replaceChildren(...names.map(name => make("option", {value: name}, called(name))));
    $(id).value = names.includes(held) ? held : names[id === "to" && names.length > 1 ? 1 : 0] ?? "";
  }
  $("add").disabled = names.length < 2;
  $("paths").replaceChildren(...model.paths.map((path, k) => {
    const values = {from: called(path.from), to: called(path.to)};
    const sign = make("select", {id: `sign${k}`, "aria-label": w("effect_of", values)},
      make("option", {value: 1}, w("positive")), make("option", {value: -1}, w("negative")));
    sign.value = path.sign;
    sign.onchange = () => { path.sign = +sign.value; changed(); };
    const remove = make("button", {type: "button", id: `remove${k}`, "aria-label": w("remove_path", values)}, w("remove"));
    remove.onclick = () => { model.paths.splice(k, 1); changed(); };
    return make("li", {}, `${values.from} → ${values.to}`, sign, remove);
  }));
  $("kept").replaceChildren(...model.kept.map((line, k) => {
    const [, key, name, said] = line.match(/^(\w+)(?:\.(".*?"))? = (.*)$/), texts = [JSON.parse(said)].flat().join(w("semicolon"));
    const text = `${w(`kept_${key}`)}${w("colon")}${name ? `${JSON.parse(name)}${key === "moderation" ? " ~ " : " = "}` : ""}${texts}`;
    const remove = make("button", {type: "button", id: `drop${k}`, "aria-label": `${w("remove")}${w("colon")}${text}`}, w("remove"));
    remove.onclick = () => { model.kept.splice(k, 1); changed(); };
    return make("li", {}, text, remove);
  }));
  $("also").hidden = !model.kept.length;
  const two = model.controls.filter(place => facts.columns[place].two);
  $("group").replaceChildren(make("option", {value: 0}, w("no_group")),
    ...two.map(place => make("option", {value: place, selected: model.group === place}, facts.columns[place].heading)));
}

function show_told() {
  const error = told.said ? w("refused", {said: told.said}) : told.key ? w(told.key) : "";
  const good = error ? "" : [w("fits", {n: number(told.rows)}), told.invalid ? w("invalid", {n: number(told.invalid)}) : "",
    told.missing?.length ? w("missing", {codes: told.missing.join(w("comma"))}) : "",
    ...(told.notes ?? []), model.paths.length ? "" : w("no_paths")].filter(Boolean).join(" ");
  $("told").className = error ? "bad" : "";
  if ($("told").textContent !== (error || good)) $("told").textContent = error || good;
  $("start").disabled = !!error || !model.paths.length || state === "running";
  $("save-codebook").classList.toggle("off", !!error);
}

// ---- the diagram: constructs in columns by the longest way to them, long paths led between them ----

let at = {};

function layers(names) {
  const layer = Object.fromEntries(names.map(name => [name, 0]));
  for (let round = 0; round < names.length; round++) {
    for (const {from, to} of model.paths) {
      if (from in layer && to in layer) layer[to] = Math.max(layer[to], layer[from] + 1);
    }
  }
  return layer;
}

function arrange(joined, paths) { // returns columns of nodes; a node is a construct, or a bend of a path that passes by
  const layer = layers(joined), columns = [], links = [];
  for (const name of joined) (columns[layer[name]] ??= []).push({name});
  const node = name => columns[layer[name]].find(each => each.name === name);
  for (const path of paths) {
    let last = node(path.from);
    path.way = [];
    for (let k = layer[path.from] + 1; k < layer[path.to]; k++) {
      const bend = {path};
      columns[k].push(bend);
      path.way.push(bend);
      links.push([last, bend]);
      last = bend;
    }
    links.push([last, node(path.to)]);
  }
  const place = () => columns.forEach(column => column.forEach((each, k) => { each.rank = (k + .5) / column.length; }));
  place();
  for (let round = 0; round < 8; round++) {
    const forward = round % 2 === 0;
    for (const column of forward ? columns : columns.toReversed()) {
      for (const each of column) {
        const beside = links.filter(link => link[forward ? 1 : 0] === each).map(link => link[forward ? 0 : 1].rank);
        each.wish = beside.length ? beside.reduce((a, b) => a + b) / beside.length : each.rank;
      }
      column.sort((a, b) => a.wish - b.wish);
      place();
    }
  }
  return columns;
}

function draw_diagram() {
  const names = drawn().map(construct => construct.name);
  const paths = model.paths.filter(path => names.includes(path.from) && names.includes(path.to)).map(path => ({...path}));
  const joined = names.filter(name => paths.some(path => path.from === name || path.to === name));
  const alone = names.filter(name => !joined.includes(name));
  const columns = arrange(joined, paths), step = HIGH + APART;
  const across = Math.max(columns.length, Math.min(alone.length, 5));
  const tall = Math.max(0, ...columns.map(column => column.length)) * step;
  at = {};
  columns.forEach((column, x) => column.forEach((each, y) => {
    each.x = EDGE + x * (WIDE + GAP);
    each.y = EDGE + (tall - column.length * step) / 2 + y * step;
    if (each.name) at[each.name] = each;
  }));
  alone.forEach((name, k) => {
    at[name] = {x: EDGE + k % across * (WIDE + GAP / 2), y: EDGE + tall + Math.floor(k / across) * step};
  });
  const width = Math.max(2 * EDGE, ...Object.values(at).map(each => each.x + WIDE + EDGE));
  const height = Math.max(2 * EDGE, ...Object.values(at).map(each => each.y + HIGH + EDGE), tall + 2 * EDGE - APART);
  const picture = $("diagram");
  for (const [name, value] of Object.entries({width, height, viewBox: `0 0 ${width} ${height}`})) picture.setAttribute(name, value);
  const small = .75 * width > picture.parentElement.clientWidth; // letters would not be read: it scrolls, whole
  picture.style.minWidth = `${small ? width : 0}px`;
  const tip = draw_as("marker", {id: "tip", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto"},
    draw_as("path", {d: "M0 0L8 4L0 8z"}));
  for (const name of names) { // arrows end below one another, not on one point
    const height = path => (path.way.at(-1) ?? at[path.from]).y;
    const ends = paths.filter(path => path.to === name).sort((a, b) => height(a) - height(b));
    ends.forEach((path, k) => { path.down = (k - (ends.length - 1) / 2) * Math.min(9, (HIGH - 12) / ends.length); });
  }
  picture.replaceChildren(draw_as("defs", {}, tip), ...paths.map(line), ...names.map(ellipse));
  for (const text of picture.querySelectorAll("text")) { // wide letters
    if (text.getComputedTextLength() > WIDE - 12) {
      text.setAttribute("textLength", WIDE - 12);
      text.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
  }
}

function line(path) {
  const points = [[at[path.from].x + WIDE, at[path.from].y + HIGH / 2]];
  for (const bend of path.way) points.push([bend.x, bend.y + HIGH / 2], [bend.x + WIDE, bend.y + HIGH / 2]);
  const inset = HIGH / 2 - Math.sqrt((HIGH / 2) ** 2 - path.down ** 2); // its end is half a circle
  points.push([at[path.to].x + inset, at[path.to].y + HIGH / 2 + path.down]);
  let d = `M${points[0]}`;
  for (let k = 1; k < points.length; k++) {
    const [[x, y], [u, v]] = [points[k - 1], points[k]], middle = (x + u) / 2;
    d += `C${middle} ${y} ${middle} ${v} ${u} ${v}`;
  }
  const shown = draw_as("path", {d, class: path.sign < 0 ? "path negative" : "path", "marker-end": "url(#tip)"});
  shown.append(draw_as("title", {}, `${called(path.from)} → ${called(path.to)}`));
  return shown;
}

const places = text => [...text].reduce((used, sign) => used + (sign.codePointAt(0) > 0x2e80 ? 2 : 1), 0);

function lines(text) { // two at most; what has no room is in the title
  const parts = text.match(/[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*/g) ?? [text], found = ["", ""];
  for (const k of [0, 1]) while (parts.length && places((found[k] + parts[0]).trimEnd()) <= ROOM) found[k] += parts.shift();
  if (parts.length) {
    const last = found[0] ? 1 : 0, rest = [...found[last], ...parts.join("")];
    found[last] = "";
    while (places(found[last] + rest[0]) < ROOM) found[last] += rest.shift();
    found[last] += "…";
  }
  return found.filter(Boolean).map(each => each.trimEnd());
}

function ellipse(name) {
  const construct = model.constructs[index(name)], k = index(name);
  const n = construct.items.length + construct.parts.reduce((sum, part) => sum + model.constructs[index(part)].items.length, 0);
  const count = n === 1 ? w("count_one") : w("count", {n}), shown_lines = lines(title(construct));
  const shown = draw_as("g", {class: "node", id: `n${k}`, tabindex: 0, role: "button", "aria-pressed": source === k,
    "aria-label": `${title(construct)}, ${count}`, transform: `translate(${at[name].x} ${at[name].y})`},
    draw_as("title", {}, title(construct)), draw_as("rect", {width: WIDE, height: HIGH, rx: HIGH / 2}),
    ...shown_lines.map((text, row) => draw_as("text", {x: WIDE / 2, y: shown_lines.length > 1 ? 17 + 14 * row : 24}, text)),
    draw_as("text", {x: WIDE / 2, y: shown_lines.length > 1 ? 44 : 40, class: "small"}, count));
  shown.dataset.node = k;
  return shown;
}

function step(k) {
  const first = source;
  source = first === null ? k : null;
  if (first === null) {
    say(w("source", {name: title(model.constructs[k])}));
    draw();
  } else {
    connect(model.constructs[first].name, model.constructs[k].name);
  }
}

// ---- mouse, touch and keyboard ----

function drag(event) {
  const item = event.target.closest(".chip"), node = event.target.closest(".node");
  if (event.button || !(item || node) || item?.classList.contains("fixed")) return;
  if (item && event.pointerType !== "mouse" && !event.target.closest(".grip")) return; // a finger elsewhere scrolls
  const [x, y] = [event.clientX, event.clientY];
  let shown = null;
  const under = now => document.elementFromPoint(now.clientX, now.clientY);
  const mark = box => document.querySelectorAll(".box").forEach(each => each.classList.toggle("over", each === box));
  function follow(now) {
    if (!shown && Math.hypot(now.clientX - x, now.clientY - y) < 6) return;
    if (item) {
      shown ??= document.body.appendChild(make("div", {className: "ghost"}, item.textContent));
      shown.style.left = `${now.clientX + 8}px`;
      shown.style.top = `${now.clientY + 8}px`;
      mark(under(now)?.closest(".box"));
      if (now.clientY > innerHeight - 50) scrollBy(0, 14); else if (now.clientY < 50) scrollBy(0, -14);
    } else {
      shown ??= $("diagram").appendChild(draw_as("path", {class: "path drawing", "marker-end": "url(#tip)"}));
      const frame = $("diagram").getBoundingClientRect(), from = at[model.constructs[node.dataset.node].name];
      const scale = $("diagram").viewBox.baseVal.width / frame.width;
      shown.setAttribute("d", `M${from.x + WIDE / 2} ${from.y + HIGH / 2}L${(now.clientX - frame.left) * scale} ${(now.clientY - frame.top) * scale}`);
    }
  }
  function drop(now) {
    for (const kind of ["pointermove", "pointerup", "pointercancel"]) removeEventListener(kind, kind === "pointermove" ? follow : drop);
    shown?.remove();
    mark(null);
    if (!shown) {
      if (node && now.type === "pointerup") step(+node.dataset.node);
      return;
    }
    addEventListener("click", late => late.stopPropagation(), {capture: true, once: true}); // the one this drag ends with
    setTimeout(() => dispatchEvent(new Event("click")), 0); // where there was none, none later is lost
    if (now.type === "pointercancel") return;
    const box = under(now)?.closest(".box"), other = under(now)?.closest(".node");
    if (item && box) move(+item.dataset.place, box.dataset.box);
    else if (node && other) connect(model.constructs[node.dataset.node].name, model.constructs[other.dataset.node].name);
  }
  addEventListener("pointermove", follow);
  addEventListener("pointerup", drop);
  addEventListener("pointercancel", drop);
}

function key(event) {
  const node = event.target.closest?.(".node");
  if (event.key === "Escape" && facts) {
    source = null;
    if (chosen) let_go(); else draw();
  } else if (node && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    step(+node.dataset.node);
  } else if (node && event.key.startsWith("Arrow")) { // from one to the next, not the page round
    event.preventDefault();
    const all = [...document.querySelectorAll(".node")], on = ["ArrowRight", "ArrowDown"].includes(event.key) ? 1 : -1;
    all.at((all.indexOf(node) + on) % all.length).focus();
  }
}

// ---- file, run, report ----

async function load() {
  const found = await api("GET", "/api/state");
  ({facts, model, revision, told} = found);
  chosen = 0;
  source = null;
  $("file").textContent = facts ? `${facts.file} · ${w("respondents", {n: number(facts.rows)})}` : "";
  draw();
  seen = 0;
  [parts, cells, doing] = [{}, {}, {}];
  $("log").textContent = "";
  await watch();
}

async function given(work) {
  notice("");
  $("file").textContent = w("reading");
  $("work").inert = true; // what is done to the model before would be lost
  let said = "";
  try {
    await work();
  } catch (wrong) {
    said = wrong.message;
  }
  await load().finally(() => { $("work").inert = false; });
  if (said) notice(said);
}

function upload(files) { // answers, a codebook for those that are open, or both
  const limit = +document.body.dataset.limit, books = JSON.parse(document.body.dataset.codebooks);
  const is_book = file => books.some(ending => file.name.toLowerCase().endsWith(ending));
  files.sort((a, b) => is_book(a) - is_book(b));
  if (!files.length) return;
  const large = files.find(file => file.size > limit), name = files[0].name;
  if (large) return notice(w("large", {name: large.name, size: limit / 2 ** 20}));
  if (model?.paths?.length && !confirm(w("replace", {name, file: facts.file}))) return;
  return given(async () => {
    for (const file of files) await api("PUT", `/api/file?name=${encodeURIComponent(file.name)}`, file);
  });
}

function read_event([kind, name, ...rest]) {
  const values = {name: words[name] ?? name};
  if (kind === "draws") { // of the one notebook that has long steps
    const [done, of] = rest, own = "structure", [at, total] = cells[own] ?? [0, 1];
    parts[own] = (at + done / of) / total;
    if (done < of) doing[name] = w(name, {done: number(done), of: number(of)}); else delete doing[name];
    return "";
  }
  if (kind === "cell") {
    if (name !== "measurement") delete doing.resamples, delete doing.permutations; // a step that ends in one go says no end
    cells[name] = [rest[0], rest[1] + 2];
    parts[name] = rest[0] / (rest[1] + 2);
    return doing[name] = w("step", {...values, at: rest[0] + 1, of: rest[1]});
  }
  return doing[name] = w("writing", {...values, language: rest[0]});
}

function read_line(line) { // what the command prints on any terminal
  const name = line.match(/^(\w+): built in /)?.[1];
  if (!name) return /^\w+: never built$|^open report\//.test(line) ? "" : line; // of use on a terminal alone
  parts[name] = 1;
  delete doing[name];
  return w("made", {name: words[name] ?? name});
}

async function watch() {
  clearTimeout(watching);
  const job = await api("GET", `/api/run?since=${seen}`);
  seen += job.lines.length;
  for (const each of job.lines) {
    const text = typeof each === "string" ? read_line(each) : read_event(each);
    if (text) $("log").append(text + "\n");
  }
  $("log").scrollTop = $("log").scrollHeight;
  state = job.state;
  const running = state === "running", shares = Object.values(parts);
  $("progress").hidden = !running;
  $("progress").value = shares.reduce((a, b) => a + b, 0) / Math.max("pls" in parts ? 1 : 2, shares.length);
  $("cancel").hidden = !running;
  $("details").hidden = state === "idle";
  $("elapsed").textContent = running ? w("elapsed", {seconds: number(Math.round(job.seconds))}) : "";
  if (running) {
    const now = Object.values(doing).join(w("semicolon")) || w(shares.length ? "finishing" : "running");
    if ($("state").textContent !== now) $("state").textContent = now;
  } else {
    const said = $("log").textContent.match(/^error: (.*)$/m)?.[1] ?? "";
    $("state").textContent = state === "idle" ? "" : w(state, {seconds: job.seconds, said});
  }
  $("state").className = state === "failed" || state === "killed" ? "bad" : "";
  show_report(job);
  if (facts) show_told();
  if (running) watching = setTimeout(() => watch().catch(wrong => notice(wrong.message)), 400);
}

function show_report({report, fresh}) {
  $("report").hidden = !report;
  $("stale").hidden = fresh;
  if (!report || $("tab").getAttribute("href") === report) return;
  $("tab").href = report;
  $("frame").src = report;
}

async function start() {
  notice("");
  if (timer) send();
  await sending;
  const asked = {draws: +$("draws").value, estimator: $("estimator").value, screening: $("screening").value, language: $("report-language").value};
  seen = 0;
  [parts, cells, doing] = [{}, {}, {}];
  $("log").textContent = $("state").textContent = "";
  try {
    await api("POST", "/api/run", JSON.stringify(asked));
  } catch (wrong) {
    notice(wrong.message);
  }
  await watch();
}

$("begin-text").textContent = w("begin_text", {size: +document.body.dataset.limit / 2 ** 20});
$("open").onclick = $("open-first").onclick = () => $("upload").click();
$("open-codebook").onclick = () => $("upload").click();
$("upload").onchange = event => { const files = [...event.target.files]; event.target.value = ""; upload(files); };
$("example").onclick = () => given(() => api("POST", "/api/file"));
$("move").onclick = () => { // the one below is likely to go the same way
  const from = home(chosen), next = $("move-to").value === from.key ? chosen : from.items[from.items.indexOf(chosen) + 1];
  move(chosen, $("move-to").value);
  let_go(next);
};
$("move-to").onkeydown = event => { if (event.key === "Enter") { event.preventDefault(); $("move").click(); } };
$("close").onclick = () => let_go();
$("reversed").onchange = event => {
  model.reversed = model.reversed.filter(place => place !== chosen).concat(event.target.checked ? [chosen] : []);
  changed();
};
$("new").onclick = () => {
  let k = 1;
  while (index(`F${k}`) >= 0) k++;
  model.constructs.push({name: `F${k}`, was: "", titles: {}, items: [], parts: []});
  changed();
  $(`name-c${model.constructs.length - 1}`).select();
};
$("add").onclick = () => connect($("from").value, $("to").value);
$("group").onchange = event => { model.group = +event.target.value; changed(); };
$("start").onclick = start;
for (const id of ["draws", "estimator", "screening", "report-language"]) { // kept in this tab, in the other language too
  $(id).value = sessionStorage.getItem(id) ?? $(id).value;
  $(id).onchange = () => sessionStorage.setItem(id, $(id).value);
}
$("cancel").onclick = () => api("DELETE", "/api/run").then(watch, wrong => notice(wrong.message));
addEventListener("pointerdown", drag);
addEventListener("keydown", key);
addEventListener("resize", () => facts && draw_diagram());
addEventListener("dragover", event => event.preventDefault());
addEventListener("drop", event => { event.preventDefault(); upload([...event.dataTransfer.files]); });
load().catch(wrong => notice(wrong.message));
