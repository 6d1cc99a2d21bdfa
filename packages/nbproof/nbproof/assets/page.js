"use strict";
(() => {
  const root = document.documentElement;
  const keep = (value) => { try { localStorage.setItem("theme", value); } catch { /* a file may have no storage */ } };
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  if (kept()) root.dataset.theme = kept();
  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    keep(root.dataset.theme);
  });

  const code = document.getElementById("code");
  if (code) {
    const cells = [...document.querySelectorAll("details.code")];
    code.hidden = !cells.length;
    code.addEventListener("click", () => {
      const open = cells.some((fold) => !fold.open);
      cells.forEach((fold) => { fold.open = open; });
      code.setAttribute("aria-pressed", String(open));
    });
  }

  // a section of several tables without a text about its figures is folded: first the story, then all its numbers behind one heading
  for (const heading of document.querySelectorAll("main > h2")) {
    const part = [];
    for (let next = heading.nextElementSibling; next && next.tagName !== "H2"; next = next.nextElementSibling) part.push(next);
    const has = (kind) => part.some((each) => each.matches(kind));
    if (part.filter((each) => each.matches("figure.table")).length < 2 || has("figure.figure") && has("p")) continue;
    const fold = document.createElement("details"), summary = document.createElement("summary");
    fold.className = "fold";
    heading.before(fold);
    summary.append(heading);
    fold.append(summary, ...part);
  }
  const folds = [...document.querySelectorAll("details.fold")];
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest("details.fold");
    if (fold && !fold.open) { fold.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => folds.forEach((fold) => { fold.open = true; }));
  reveal();

  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((a) => a.classList.remove("here"));
      links.get(entry.target.id).classList.add("here");
    }
  }, { rootMargin: "0px 0px -70% 0px" });
  links.forEach((_, id) => { const target = document.getElementById(id); if (target) watch.observe(target); });

  const other = document.querySelector("a[data-language]");
  if (other) other.addEventListener("click", () => { other.hash = location.hash; });
})();
