(() => {
  const at = (id) => document.getElementById(id), root = document.documentElement;
  const data = JSON.parse(at("search-data").textContent);
  const others = [...document.querySelectorAll("a[data-language]")];
  let storage = null;
  try { storage = localStorage; } catch { /* a sandboxed frame has none: the address says what was chosen */ }
  others.forEach((link) => link.addEventListener("click", () => {
    if (storage) storage.setItem("language", link.dataset.language); else link.hash = "chosen";
  }));
  const meant = others.find((link) => navigator.language.startsWith(link.dataset.language));
  const unasked = /\/(index\.html)?$/.test(location.pathname);  // who asks for a language's own page gets it
  if (unasked && (storage ? !storage.getItem("language") : location.hash !== "#chosen")) {  // once: whoever comes back chose this page
    if (storage) storage.setItem("language", navigator.language.slice(0, 2));
    if (meant) location.replace(meant.getAttribute("href") + location.hash);
  }

  // words and not parts of them: a part counts only where nothing has it as a word; Chinese has no spaces between words
  const box = at("query"), results = at("results"), found = at("found");
  const han = /\p{Script=Han}/u, clean = (term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = (term, end) => `${han.test(term) ? "()" : "(^|[^\\p{L}\\p{N}])"}(${clean(term)})${han.test(term) ? "" : end}`;
  const times = (text, re) => [...text.matchAll(re)].length;
  const marked = (text, res) => {
    const spots = res.flatMap((re) => [...text.matchAll(re)].map((m) => [m.index + m[1].length, m[2].length])).sort((a, b) => a[0] - b[0]);
    return spots.filter(([from], i) => !i || from >= spots[i - 1][0] + spots[i - 1][1]);
  };
  const shown = (text, res, around) => {  // all of a text, or the words around each term
    const spots = marked(text, res), node = document.createElement("span"), parts = [];
    for (const re of around ? res : []) {
      const [spot] = marked(text, [re]);
      if (!spot || parts.some(([from, to]) => spot[0] >= from && spot[0] + spot[1] <= to)) continue;
      const from = spot[0] < 60 ? 0 : Math.min(spot[0], text.indexOf(" ", spot[0] - 60) + 1 || spot[0] - 30);
      parts.push([spot[0] - from > 60 ? spot[0] - 30 : from, Math.min(text.length, spot[0] + (res.length > 1 ? 70 : 140))]);
    }
    if (!parts.length) parts.push([0, around ? Math.min(text.length, 140) : text.length]);
    let here = 0;
    for (const [from, to] of parts.sort((a, b) => a[0] - b[0])) {
      if (from > here) node.append("…");
      here = Math.max(here, from);
      for (const [start, length] of spots.filter(([start, length]) => start >= here && start + length <= to)) {
        const mark = document.createElement("mark");
        mark.textContent = text.slice(start, start + length);
        node.append(text.slice(here, start), mark);
        here = start + length;
      }
      node.append(text.slice(here, to));
      here = Math.max(here, to);
    }
    if (here < text.length) node.append("…");
    return node;
  };
  const search = () => {
    const terms = box.value.trim().split(/\s+/).filter(Boolean);
    results.hidden = !terms.length;
    found.replaceChildren();
    at("status").textContent = "";
    if (!terms.length) return;
    const [words, beginnings] = ["(?![\\p{L}\\p{N}])", ""].map((end) => terms.map((term) => new RegExp(pattern(term, end), "giu")));
    const anywhere = (re) => data.places.some((place) => place.some((text, i) => i && times(text, re)));
    const res = words.map((re, i) => (anywhere(re) ? re : beginnings[i]));
    const worth = ([, title, heading, text]) => res.map((re) => 5 * times(heading || title, re) + Math.min(4, times(text, re)));
    const hits = data.places.map((place) => [place, worth(place)]).filter(([, each]) => each.every(Boolean))
      .sort((a, b) => Math.min(...b[1]) - Math.min(...a[1]));
    at("status").textContent = data.hits.replace("{}", hits.length) + (hits.length > 20 ? data.others : "");
    for (const [[href, title, heading, text]] of hits.slice(0, 20)) {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = href;
      link.append(shown(heading ? `${title} › ${heading}` : title, res));
      item.append(link, shown(text, res, true));
      found.append(item);
    }
  };
  box.addEventListener("input", search);
  box.addEventListener("focus", search);
  document.addEventListener("click", (event) => { if (!at("search").contains(event.target)) results.hidden = true; });
  at("search").addEventListener("focusout", (event) => { if (event.relatedTarget && !at("search").contains(event.relatedTarget)) results.hidden = true; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) { event.preventDefault(); box.focus(); }
    if (event.key === "Escape" && !results.hidden) { box.focus(); results.hidden = true; }
  });
  at("search").hidden = false;
})();
