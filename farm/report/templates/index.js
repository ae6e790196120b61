"use strict";
(() => {
  const about = JSON.parse(document.getElementById("about").textContent);
  const rows = [...document.querySelectorAll("#runs tbody tr")];
  const control = (name) => document.getElementById(name);

  const narrowDown = () => {
    const words = control("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [verdict, status, symbol, from, to] = ["verdict", "status", "symbol", "from", "to"].map((name) => control(name).value);
    let shown = 0;
    for (const row of rows) {
      const data = row.dataset;
      row.hidden = !(words.every((word) => data.find.includes(word)) &&
        (!verdict || data.verdict === verdict) && (!status || data.status === status) &&
        (!symbol || JSON.parse(data.symbols).includes(symbol)) && (!from || data.day >= from) && (!to || data.day <= to));
      shown += !row.hidden;
    }
    control("found").textContent = `${shown.toLocaleString("en")} ${shown === 1 ? "run" : "runs"} shown`;
  };
  for (const name of ["find", "verdict", "status", "symbol", "from", "to"]) control(name).addEventListener("input", narrowDown);

  // Everything is put in as text: names are a person's, and may look like markup.
  const made = (tag, text, attributes = {}) => {
    const one = document.createElement(tag);
    if (text !== undefined) one.textContent = text;
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    return one;
  };
  const table = (caption, heads, lines) => {
    const box = made("div", undefined, { class: "scroll spaced", tabindex: "0", role: "region", "aria-label": caption });
    const whole = made("table", undefined, { class: "plain" });
    whole.append(made("caption", caption));
    const head = made("tr");
    heads.forEach((text) => head.append(made("th", text, { scope: "col", class: "text" })));
    const top = made("thead");
    top.append(head);
    const body = made("tbody");
    for (const [first, ...rest] of lines) {
      const line = made("tr");
      line.append(made("th", first, { scope: "row" }), ...rest.map((text) => made("td", text, { class: "text wrap" })));
      body.append(line);
    }
    whole.append(top, body);
    box.append(whole);
    return box;
  };

  const number = (value, digits) => (value === null || value === undefined ? "unknown" : value.toFixed(digits).replace("-", "−"));
  const told = (one) => {
    if (!one) return "not there";
    const interval = one.low === null ? "" : ` (${number(one.low, 2)} to ${number(one.high, 2)})`;
    return `${one.verdict}, Sharpe ${number(one.sharpe, 2)}${interval}, net ${one.net === null ? "unknown" : `${number(100 * one.net, 1)}%`}`;
  };
  const changes = (a, b) => [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map((key) => [key, a[key] ?? "(not set)", b[key] ?? "(not set)"])
    .filter(([, before, after]) => before !== after);

  const sideBySide = (a, b) => {
    const box = control("difference");
    const command = made("p", "With intervals on the differences: ");
    command.append(made("code", `farm compare ${a.id} ${b.id}`));
    const keyed = (run) => new Map(run.candidates.map((one) => [`${one.trial} on ${one.symbol}`, one]));
    const [ours, theirs] = [keyed(a), keyed(b)];
    const names = [...new Set([...ours.keys(), ...theirs.keys()])];
    const heads = [`A: ${a.name} ${a.id}`, `B: ${b.name} ${b.id}`];
    const parts = [command, table("Candidates", ["Candidate", ...heads], names.map((name) => [name, told(ours.get(name)), told(theirs.get(name))]))];
    const differing = [
      ["Parameters that differ", changes(a.parameters, b.parameters), "The experiments are the same."],
      ["Data that differ, by fingerprint", changes(a.data, b.data), "Both read the same data."],
      ["Code that differs", changes({ version: a.code.version, commit: a.code.commit ?? "unknown" }, { version: b.code.version, commit: b.code.commit ?? "unknown" }), "Both were made by the same code."],
    ];
    for (const [caption, lines, none] of differing) {
      parts.push(lines.length ? table(caption, ["What", ...heads], lines) : made("p", none, { class: "quiet" }));
    }
    box.replaceChildren(...parts);
  };

  let picked = [];
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".pick")) return;
    const box = event.target;
    picked = picked.filter((one) => one !== box);
    if (box.checked) picked.push(box);
    if (picked.length > 2) picked.shift().checked = false;
    control("compare").hidden = picked.length < 2;
    if (picked.length === 2) {
      // The earlier run is A, whichever was chosen first.
      const [a, b] = picked.map((one) => about[Number(one.closest("tr").dataset.at)]).sort((one, other) => about.indexOf(other) - about.indexOf(one));
      sideBySide(a, b);
    }
  });
  // A page that is loaded anew may come with boxes still ticked.
  document.querySelectorAll(".pick").forEach((box) => { box.checked = false; });
})();
