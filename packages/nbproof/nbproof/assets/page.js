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
    const folds = [...document.querySelectorAll("details.code")];
    code.hidden = !folds.length;
    code.addEventListener("click", () => {
      const open = folds.some((fold) => !fold.open);
      folds.forEach((fold) => { fold.open = open; });
      code.setAttribute("aria-pressed", String(open));
    });
  }

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
