"use strict";
// Exchanges are packed (html_pack.go) and unpacked when a row is opened. Each is drawn when it is opened itself.
{
  let blocks;
  const unpacked = new Map();

  const inflate = async base64 => {
    const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const exchanges = await new Response(stream).json();
    return new Map(exchanges.map(x => [x.n, x]));
  };

  const block = index => {
    blocks ??= embedded("exchanges");
    if (!unpacked.has(index)) unpacked.set(index, inflate(blocks[index]));
    return unpacked.get(index);
  };

  const copyButton = (text, label) => {
    const button = make("button", { type: "button", class: "copy", "aria-label": label }, "Copy");
    if (printable(text) !== text) button.dataset.raw = JSON.stringify(text);
    return button;
  };

  const headers = all => Object.entries(all ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, values]) => values.map(value => `${name}: ${value}`));

  // message is a request or an answer as it goes over the wire.
  const message = (title, first, { headers: fields, body, body_cut: cut }) => make("figure", { class: "message" },
    make("figcaption", {}, title),
    make("pre", {}, printable([first, ...headers(fields)].join("\n") + (body ? "\n\n" + body : ""))
      + (cut ? "\n… (cut)" : "")));

  const status = x => (x.response ? String(x.response.status) : "no answer");

  const content = x => {
    const answer = x.response
      ? message("Answer", `${x.response.proto} ${x.response.status}`, x.response)
      : make("figure", { class: "message" }, make("figcaption", {}, "No answer"), make("pre", {}, printable(x.error ?? "")));
    return make("div", { class: "body" },
      make("div", { class: "messages" }, message("Request", `${x.request.method} ${x.request.url}`, x.request), answer),
      make("div", { class: "curl" },
        make("p", {}, "Reproduce ", copyButton(x.reproduce, `Copy the curl of exchange ${x.n}`)),
        make("pre", {}, make("code", {}, printable(x.reproduce)))));
  };

  // place is where a request went, without the host, which is the same all over the row. What is opened has it in full.
  const place = url => url.replace(/^https?:\/\/[^/?#]+(?=\/)/, "");

  const exchange = x => {
    const comment = x.request.comment ? [" ", make("span", { class: "comment" }, printable(x.request.comment))] : [];
    const shown = make("details", { class: "exchange", "data-n": x.n },
      make("summary", {}, make("span", { class: "n" }, `#${x.n}`), " ",
        make("code", {}, printable(`${x.request.method} ${place(x.request.url)}`)), " → ", make("b", {}, status(x)), ` in ${x.took_ms} ms`,
        ...comment));
    shown.addEventListener("toggle", () => { if (shown.open && !shown.querySelector(".body")) shown.append(content(x)); });
    return shown;
  };

  // fill lists a row's exchanges, and opens the one that shows why the row failed.
  const fill = async row => {
    const holder = row.querySelector(".exchanges");
    if (!holder || holder.dataset.filled) return;
    holder.dataset.filled = "true";
    holder.setAttribute("aria-busy", "true");
    try {
      const all = await block(Number(row.dataset.block));
      const numbers = row.dataset.exchanges.split(" ").map(Number);
      const list = numbers.map(n => exchange(all.get(n)));
      holder.append(make("p", { class: "label" }, numbers.length === 1 ? "1 exchange" : `${numbers.length} exchanges`), ...list);
      if (row.dataset.culprit) list[numbers.indexOf(Number(row.dataset.culprit))].open = true;
    } catch (error) {
      holder.append(make("p", {}, `This browser can't unpack the exchanges (${error.message}). They are in report.json.`));
    }
    holder.removeAttribute("aria-busy");
  };

  // copied is the text that a copy button stands for: what is beside it, or what that was cleaned from.
  const copied = button => (button.dataset.raw ? JSON.parse(button.dataset.raw) : button.closest(".curl").querySelector("code").textContent);

  const write = async text => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = make("textarea", { class: "unseen" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("the browser refuses");
  };

  document.addEventListener("click", async event => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    let said = "Copied";
    try { await write(copied(button)); } catch (error) { said = `Not copied: ${error.message}`; }
    button.textContent = said;
    announce(said);
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  // A toggle doesn't bubble, but it can be caught on its way down.
  document.addEventListener("toggle", event => {
    if (event.target.matches("details.row[open]")) fill(event.target);
  }, true);
  document.querySelectorAll("details.row[open]").forEach(fill);
}
