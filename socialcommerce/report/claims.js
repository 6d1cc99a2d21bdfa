  for (const filter of document.querySelectorAll(".filter")) {
    const rows = filter.parentElement.querySelectorAll("tr[data-verdicts]");
    filter.hidden = false;
    filter.addEventListener("change", (event) => {
      const wanted = event.target.value;
      rows.forEach((row) => { row.hidden = wanted !== "" && !row.dataset.verdicts.split("|").includes(wanted); });
    });
  }

