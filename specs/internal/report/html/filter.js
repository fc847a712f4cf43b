"use strict";
// The filters of the list of rows, and links to rows that may be hidden.
{
  const form = document.getElementById("filter");
  const fields = form.elements;
  const rows = [...document.querySelectorAll("details.row")];
  const groups = [...document.querySelectorAll(".group")];
  const texts = new Map();

  const textOf = row => {
    if (!texts.has(row)) {
      texts.set(row, [...row.querySelectorAll(".id, .title, dd")].map(part => part.textContent).join(" ").toLowerCase());
    }
    return texts.get(row);
  };

  const apply = () => {
    const words = fields.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = fields.verdict.value.split(" ").filter(Boolean);
    let selected = 0;
    let shown = 0;
    for (const row of rows) {
      const { api, tier, verdict, unselected } = row.dataset;
      const counts = unselected === undefined || fields.unselected.checked;
      row.hidden = !(counts
        && (!fields.api.value || fields.api.value === api)
        && (!fields.tier.value || fields.tier.value === tier)
        && (verdicts.length === 0 || verdicts.includes(verdict))
        && words.every(word => textOf(row).includes(word)));
      selected += counts;
      shown += !row.hidden;
    }
    for (const group of groups) group.hidden = !group.querySelector("details.row:not([hidden])");
    document.getElementById("nothing").hidden = shown > 0;
    document.getElementById("shown").textContent = shown === selected ? `${shown} rows` : `${shown} of ${selected} rows`;
  };

  // follow opens the row that the address names, and shows it whatever the filters say.
  const follow = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row?.matches("details.row")) return;
    if (row.hidden) {
      form.reset();
      if (fields.unselected && row.dataset.unselected !== undefined) fields.unselected.checked = true;
      apply();
    }
    row.open = true;
    row.scrollIntoView();
    row.querySelector("summary").focus({ preventScroll: true });
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  document.getElementById("open-all").addEventListener("click", () => rows.forEach(row => { if (!row.hidden) row.open = true; }));
  document.getElementById("close-all").addEventListener("click", () => rows.forEach(row => { row.open = false; }));
  document.querySelectorAll("[data-show]").forEach(button => button.addEventListener("click", () => {
    form.reset();
    fields.verdict.value = button.dataset.show;
    apply();
    document.getElementById("rows").scrollIntoView();
    fields.verdict.focus({ preventScroll: true });
  }));
  document.addEventListener("click", event => {
    // A link to the row that the address already names changes nothing that the browser would tell.
    if (event.target.closest?.("a[href^='#']")?.hash === location.hash) follow();
  });
  window.addEventListener("hashchange", follow);

  form.hidden = false;
  apply();
  follow();
}
