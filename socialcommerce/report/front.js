(() => {
  const at = (id) => document.getElementById(id), root = document.documentElement;

  // the picture of the evidence: a tip at each mark, one stop for the tab key, arrow keys between marks
  const marks = [...document.querySelectorAll(".mark")], tip = at("tip");
  const hide = () => { tip.hidden = true; };
  const show = (mark) => {
    const [claim, kind] = tip.children, box = mark.getBoundingClientRect();
    claim.textContent = mark.getAttribute("aria-label");
    kind.textContent = mark.dataset.kind;
    tip.hidden = false;
    tip.style.left = Math.min(Math.max(16, box.left + box.width / 2 - tip.offsetWidth / 2), root.clientWidth - tip.offsetWidth - 16) + scrollX + "px";
    tip.style.top = (box.bottom + 6 + tip.offsetHeight < innerHeight ? box.bottom + 6 : box.top - tip.offsetHeight - 6) + scrollY + "px";
  };
  const tells = (each) => {
    each.addEventListener("mouseenter", () => show(each));
    each.addEventListener("mouseleave", hide);
    each.addEventListener("focus", () => show(each));
    each.addEventListener("blur", hide);
    each.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  };
  marks.forEach((mark, i) => {
    mark.tabIndex = i ? -1 : 0;
    tells(mark);
    mark.addEventListener("focus", () => marks.forEach((each) => { each.tabIndex = each === mark ? 0 : -1; }));
    mark.addEventListener("keydown", (event) => {
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      const here = mark.getBoundingClientRect(), way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const away = (other) => { const box = other.getBoundingClientRect(); return [(box.top - here.top) * way, Math.abs(box.left - here.left)]; };
      const next = way ? marks.filter((other) => away(other)[0] > 4).sort((a, b) => away(a)[0] - away(b)[0] || away(a)[1] - away(b)[1])[0]
        : marks[i + (event.key === "ArrowRight" ? 1 : -1)];
      if (next) next.focus();
    });
  });

  // Figure 1: over each column a button that tells its value
  const columns = document.querySelector("[data-values]");
  if (columns) {
    const values = JSON.parse(columns.dataset.values), drawing = columns.parentElement, svg = columns.querySelector("svg");
    const ticks = [...svg.querySelectorAll("use[y]")].filter((tick, i, all) => tick.href.baseVal === all[0].href.baseVal).map((tick) => tick.x.baseVal.value);
    if (ticks.length === values.length) {
      const share = (x) => `${100 * x / svg.viewBox.baseVal.width}%`, step = ticks[1] - ticks[0];
      svg.removeAttribute("aria-hidden");
      for (const name of ["role", "aria-label"]) { svg.setAttribute(name, drawing.getAttribute(name)); drawing.removeAttribute(name); }
      drawing.removeAttribute("tabindex");
      values.forEach(([label, kind], i) => {
        const button = document.createElement("button");
        button.style.left = share(ticks[i] - step / 2);
        button.style.width = share(step);
        button.setAttribute("aria-label", label);
        button.dataset.kind = kind;
        tells(button);
        columns.append(button);
      });
    }
  }

  if (navigator.clipboard) document.querySelectorAll(".copy").forEach((copy) => {
    copy.hidden = false;
    copy.addEventListener("click", () => navigator.clipboard.writeText(copy.previousElementSibling.textContent).then(() => { copy.textContent = copy.dataset.done; }));
  });

  // the page of claims: four filters, kept in the address, which may name a claim instead
  const form = document.querySelector(".filters");
  if (!form) return;
  const rows = [...document.querySelectorAll(".claims tbody tr")], picks = [...form.querySelectorAll("select")];
  const folds = [...document.querySelectorAll(".claims details")], phone = matchMedia("(max-width: 44rem)");
  const fold = () => folds.forEach((each) => { each.open = !phone.matches; });
  const filter = () => {
    const on = picks.filter((pick) => pick.value);
    rows.forEach((row) => { row.hidden = !on.every((pick) => row.dataset[pick.name] === pick.value); });
    const left = rows.filter((row) => !row.hidden).length;
    at("count").textContent = at("count").dataset.text.replace("{}", left).replace("{}", rows.length);
    at("clear").hidden = !on.length;
    at("nothing").hidden = left > 0;
    return on.map((pick) => `${pick.name}=${encodeURIComponent(pick.value)}`).join("&");
  };
  const keep = () => { const chosen = filter(); history.replaceState(null, "", chosen ? `#${chosen}` : location.pathname); };
  const follow = () => {
    const given = new URLSearchParams(location.hash.slice(1)), row = at(location.hash.slice(1));
    picks.forEach((pick) => { pick.value = given.get(pick.name) || ""; if (pick.selectedIndex < 0) pick.value = ""; });
    filter();
    if (row && rows.includes(row)) {
      row.querySelectorAll("details").forEach((each) => { each.open = true; });
      row.scrollIntoView({ behavior: "instant", block: "center" });
      row.focus({ preventScroll: true });
    }
  };
  picks.forEach((pick) => pick.addEventListener("change", keep));
  at("clear").addEventListener("click", () => { form.reset(); keep(); picks[0].focus(); });
  phone.addEventListener("change", fold);
  addEventListener("beforeprint", () => folds.forEach((each) => { each.open = true; }));
  addEventListener("hashchange", follow);
  form.hidden = false;
  fold();
  follow();
  document.fonts.ready.then(() => { if (document.querySelector("tr:target")) follow(); });
})();
