(() => {
  const data = JSON.parse(document.getElementById("search-data").textContent);
  const words = JSON.parse(document.getElementById("search-words").textContent);
  const box = document.getElementById("query");
  const found = document.getElementById("found");
  const status = document.getElementById("status");
  const languages = [...document.querySelectorAll("button[data-show]")];
  let language = document.documentElement.lang.slice(0, 2);

  const show = (chosen) => {
    language = chosen;
    document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en-GB";
    document.querySelectorAll("[data-lang]").forEach((part) => { part.hidden = part.dataset.lang !== chosen; });
    languages.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.show === chosen)));
    box.placeholder = words[chosen].placeholder;
    box.setAttribute("aria-label", words[chosen].placeholder);
    document.title = words[chosen].title;
    search();
  };

  const snippet = (text, at, length) => {
    const from = Math.max(0, at - 40);
    const part = document.createElement("span");
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + length);
    part.append((from ? "…" : "") + text.slice(from, at), mark, text.slice(at + length, at + length + 80) + "…");
    return part;
  };

  const search = () => {
    const query = box.value.trim().toLowerCase();
    found.replaceChildren();
    status.textContent = "";
    if (!query) return;
    const terms = query.split(/\s+/);
    const hits = data[language].filter((s) => terms.every((t) => (s.title + " " + s.heading + " " + s.text).toLowerCase().includes(t)));
    status.textContent = words[language].hits.replace("{}", hits.length);
    for (const hit of hits.slice(0, 40)) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = hit.page + (hit.anchor ? "#" + hit.anchor : "");
      link.textContent = hit.heading === hit.title ? hit.title : hit.title + " › " + hit.heading;
      const at = hit.text.toLowerCase().indexOf(terms[0]);
      item.append(link, document.createElement("br"), snippet(hit.text, Math.max(at, 0), at < 0 ? 0 : terms[0].length));
      found.append(item);
    }
  };

/* more */  languages.forEach((b) => { b.hidden = false; b.addEventListener("click", () => show(b.dataset.show)); });
  document.querySelectorAll(".no-script").forEach((part) => { part.hidden = true; });
  box.addEventListener("input", search);
  document.getElementById("search").hidden = false;
  show(/* own */);
})();
