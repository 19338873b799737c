// The sliders of the business case: what the reader changes, and what akbPlanner makes of it.
(function () {
  "use strict";
  var data = document.getElementById("whatif-data"), at = document.getElementById("whatif");
  if (!data || !at) { return; }
  var given = JSON.parse(data.textContent), block = given.block, words = given.words.whatif, reported = given.reported;
  var dutch = given.language === "nl", locale = dutch ? "nl-NL" : "en-GB", POOLS = ["inside", "adviser"];
  var NUMBERS = ["effect_relation", "effect_policy", "effect_purchase", "minutes", "cost", "follow_up", "follow_up_minutes",
    "sale_minutes"];
  var CHOICES = ["capacity.hours_per_year_inside", "capacity.hours_per_year_adviser", "price.per_customer", "price.eda",
    "price.self_hours"];
  var OTHERS = ["cost.rate_office", "cost.rate_adviser", "planning.secondary_share", "planning.repeat_share", "lists.ageing"];
  var TORNADO = 8, values = {}, off = [], picked = "service", controls = {}, basis, base, waiting = false;

  // --- writing ---------------------------------------------------------------------------------------------------
  function made(name, attributes, inside) {
    var node = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) {
      if (key === "text") { node.textContent = attributes.text; } else { node.setAttribute(key, attributes[key]); }
    });
    (inside || []).forEach(function (child) { if (child) { node.appendChild(child); } });
    return node;
  }
  function filled(text, with_) {
    return text.replace(/\{(\w+)\}/g, function (_, name) { return with_[name]; });
  }
  function number(value, decimals) {
    var text = Math.abs(value).toLocaleString(locale, { minimumFractionDigits: decimals || 0, maximumFractionDigits: decimals || 0 });
    return (value < 0 && /[1-9]/.test(text) ? "\u2212" : "") + text;
  }
  // Cents as euros of three significant digits, as everywhere in the report.
  function euro(cents) {
    var size = Math.abs(cents) / 100;
    if (size >= 1000) {
      var unit = Math.pow(10, Math.max(0, Math.floor(Math.log10(size)) - 2));
      size = whole(size / unit) * unit;
    }
    size = whole(size);
    return (cents < 0 && size > 0 ? "\u2212" : "") + "\u20ac" + (dutch ? "\u00a0" : "") + number(size);
  }
  // A half goes to the even number, as it does in the report.
  function whole(size) {
    var down = Math.floor(size);
    return size - down === 0.5 ? down + down % 2 : Math.round(size);
  }
  function span(low, high) { return euro(low) + (dutch ? " tot " : " to ") + euro(high); }

  // --- what a number is, and between which ends it slides ----------------------------------------------------------
  function kindOf(name) { return block.register[name].kind; }
  function times(name) { return ["effect", "share", "points", "rate"].indexOf(kindOf(name)) >= 0 ? 100 : 1; }
  function unitOf(name) { return given.words.whatif_unit[kindOf(name)] || ""; }
  function decimalsOf(name) {
    var kind = kindOf(name);
    return kind === "points" || (kind === "euro" && block.register[name].high < 10) ? 2 : kind === "effect" || kind === "share" ? 1 : 0;
  }
  function shown(name, value) {
    var text = number(value * times(name), value * times(name) % 1 ? decimalsOf(name) : 0), unit = unitOf(name);
    return unit === "\u20ac" ? unit + "\u00a0" + text : text + "\u00a0" + unit;
  }
  function endsOf(name) {
    var entry = block.register[name], kind = entry.kind, most = Math.max(entry.most, entry.high, entry.value);
    var far = { hours: 2 * most, euro: name === "price.eda" ? 2 * most : Math.max(1.5 * most, 3 * entry.value),
      share: 1, effect: Math.min(1, 1.5 * most), points: Math.min(1, 1.5 * most) };
    var step = { hours: 1, minutes: 1, euro: most < 10 ? 0.05 : most < 500 ? 1 : 50, points: 0.0025 };
    var high = kind in far ? far[kind] : 1.5 * most, least = Math.min(0, entry.least, entry.low);
    return { low: least, high: high > least ? high : least + 1, step: kind in step ? step[kind] : 0.005 };
  }
  function valueOf(name) { return name in values ? values[name] : block.register[name].value; }

  function set(name, value) {
    if (!isFinite(value)) { return; }
    var entry = block.register[name], kind = entry.kind, least = kind === "effect" || kind === "points" ? -1 : 0;
    value = Math.max(least, value);
    if (times(name) === 100) { value = Math.min(1, value); }
    value = Number(value.toFixed(6));
    if (Math.abs(value - entry.value) < 1e-9) { delete values[name]; } else { values[name] = value; }
    show(name);
    later();
  }
  function show(name) {
    var control = controls[name], value = valueOf(name);
    control.slide.value = value;
    control.slide.setAttribute("aria-valuetext", shown(name, value));
    if (document.activeElement !== control.field) {
      control.field.value = Number((value * times(name)).toFixed(4));
    }
    control.row.classList.toggle("moved", name in values);
  }

  function slider(name, label) {
    var ends = endsOf(name), entry = block.register[name], id = "w-" + name.replace(/\W/g, "-"), by = times(name);
    var slide = made("input", { type: "range", id: id, min: ends.low, max: ends.high, step: ends.step, "data-name": name });
    var field = made("input", { type: "number", "aria-label": label + " (" + unitOf(name) + ")", step: "any", "data-field": name });
    var range = entry.high > entry.low ? " \u00b7 " + words.range + " " + shown(name, entry.low) + (dutch ? " tot " : " to ")
      + shown(name, entry.high) : "";
    var unit = kindOf(name) === "euro" && name in given.units ? " \u00b7 " + given.units[name] : "";
    var row = made("div", { class: "knob" }, [made("label", { for: id, text: label }),
      made("div", { class: "slide" }, [slide, made("span", { class: "entry" }, [field, made("span", { text: unitOf(name) })])]),
      made("p", { class: "ends", text: words.reported + " " + shown(name, entry.value) + range + unit })]);
    controls[name] = { slide: slide, field: field, row: row };
    slide.addEventListener("input", function () { set(name, Number(slide.value)); });
    field.addEventListener("input", function () { if (field.value !== "") { set(name, Number(field.value) / by); } });
    field.addEventListener("blur", function () { show(name); });
    return row;
  }

  function typeOf(key) {
    var id = "w-use-" + key.replace(/\W/g, "-"), box = made("input", { type: "checkbox", id: id, "data-type": key });
    box.checked = true;
    box.addEventListener("change", function () {
      off = off.filter(function (each) { return each !== key; });
      if (!box.checked) { off.push(key); }
      later();
    });
    return made("div", { class: "use" }, [box, made("label", { for: id, text: given.ladder[key] || key })]);
  }
  function numbersOf(key) {
    var rows = NUMBERS.filter(function (name) {
      var entry = block.register["contacts." + key + "." + name];
      return entry.value || entry.low || entry.high;
    }).map(function (name) { return slider("contacts." + key + "." + name, given.words.whatif_number[name]); });
    return made("details", {}, [made("summary", { text: given.ladder[key] || key })].concat(rows));
  }

  function controlsOf() {
    var types = Object.keys(block.ladder), label = function (name) { return slider(name, given.labels[name] || name); };
    return made("div", { class: "knobs" }, [
      made("fieldset", { class: "choices" }, [made("legend", { text: words.choices })].concat(CHOICES.map(label),
        [made("p", { class: "kicker", text: words.types })], types.map(typeOf))),
      made("fieldset", {}, [made("legend", { text: words.guesses })].concat(types.map(numbersOf),
        [made("details", {}, [made("summary", { text: words.others })].concat(OTHERS.map(label)))])),
      made("p", { class: "buttons" }, [button(words.reset, "reset", reset), button(words.export, "export", save)]),
      made("p", { class: "ends", text: words.export_help })
    ]);
  }
  function button(text, name, what) {
    var node = made("button", { type: "button", text: text, "data-do": name });
    node.addEventListener("click", what);
    return node;
  }
  function reset() {
    values = {};
    off = [];
    at.querySelectorAll("[data-type]").forEach(function (box) { box.checked = true; });
    Object.keys(controls).forEach(show);
    work();
  }

  // --- the chosen assumptions as a file for akb case ---------------------------------------------------------------
  function toml() {
    var lines = ["# " + words.export_note, "# akb case DIR --config akb-case.toml", ""];
    var names = Object.keys(values).sort().filter(function (name) { return gone(name.split(".")[1]) < 0; });
    if (names.length) { lines.push("[assumptions]"); }
    names.forEach(function (name) { lines.push(JSON.stringify(name) + " = " + values[name]); });
    off.slice().sort().forEach(function (key) { lines.push("", "[contacts." + key + "]", "enabled = false"); });
    return lines.join("\n") + "\n";
  }
  function gone(key) { return off.indexOf(key); }
  function save() {
    var link = made("a", { download: "akb-case.toml", href: URL.createObjectURL(new Blob([toml()], { type: "application/toml" })) });
    document.body.appendChild(link);
    link.click();
    link.remove();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  }

  // --- the outcome ---------------------------------------------------------------------------------------------------
  // The report's own figure and the difference with it: the page never says two things of the same.
  function anchored(said, now, before) { return said + now - before; }
  function table(head, rows, total) {
    return made("div", { class: "scroll" }, [made("table", {}, [
      made("thead", {}, [made("tr", {}, head.map(function (text, place) {
        return made("th", { scope: "col", class: place ? "num" : "", text: text });
      }))]),
      made("tbody", {}, rows.map(function (row, place) {
        return made("tr", { class: total === place ? "total" : "" }, row.map(function (cell, column) {
          if (column) { return made("td", { class: "num", "data-label": head[column], text: cell }); }
          var node = made("th", { scope: "row" });
          if (typeof cell === "string") { node.textContent = cell; } else { node.appendChild(cell); }
          return node;
        }));
      }))
    ])]);
  }
  function planOf(now) {
    function same(rows, each) {
      return rows.filter(function (row) { return row.key === each.key && row.pool === each.pool; })[0];
    }
    function brings(each) { return each.relation.base + each.policy.base + each.purchase.base; }
    function minutes(each) { return each.minutes.inside + each.minutes.adviser; }
    function shownRow(each) {
      var was = same(base.plan, each), said = same(reported.plan, each);
      function with_(name, value, before) { return was && said ? anchored(said[name], value, before) : value; }
      return { customers: Math.max(0, with_("customers", each.customers, was && was.customers)),
        minutes: Math.max(0, with_("minutes", minutes(each), was && minutes(was))),
        benefit: with_("benefit", brings(each), was && brings(was)), cost: with_("cost", each.cost, was && was.cost) };
    }
    if (!now.plan.length) { return made("p", { text: words.nobody }); }
    var some = { inside: words.pool_inside, adviser: words.pool_adviser };
    return table([words.contact, words.customers, words.hours, words.benefit, words.costs], now.plan.map(function (each) {
      var row = shownRow(each), name = given.ladder[each.key] || each.key;
      if (each.pool !== block.ladder[each.key].pool) { name += " (" + some[each.pool].toLowerCase() + ")"; }
      if (row.customers < given.limit) { return [name, filled(words.few, { limit: given.limit }), "\u2013", "\u2013", "\u2013"]; }
      return [name, number(Math.round(row.customers)), number(row.minutes / 60), euro(row.benefit), euro(-row.cost)];
    }));
  }
  function hoursOf(now) {
    return made("ul", { class: "plain" }, POOLS.map(function (pool) {
      var each = now.hours[pool], text = each.price > 0.5 ? words.used : words.enough;
      return made("li", { text: filled(text, { pool: words["pool_" + pool], used: number(each.used),
        available: number(each.available), price: euro(each.price) }) });
    }));
  }
  function cashOf(now) {
    var rows = now.cash.map(function (row, year) {
      var said = reported.cash[year], was = base.cash[year];
      return [String(year + 1)].concat(["benefit", "contacts", "price", "net"].map(function (name) {
        var cents = anchored(said[name], row[name], was[name]);
        return euro(name === "contacts" || name === "price" ? -cents : cents);
      }));
    });
    rows.push([words.running].concat(["benefit", "contacts", "price", "net"].map(function (name) {
      var cents = anchored(reported.running[name], now.running[name], base.running[name]);
      return euro(name === "contacts" || name === "price" ? -cents : cents);
    })));
    return table([words.year, words.benefit, words.contacts, given.labels["price.per_customer"], words.left], rows, rows.length - 1);
  }
  function optionsOf(now) {
    var rows = now.options.map(function (row, place) {
      var id = "w-option-" + row.key, radio = made("input", { type: "radio", name: "w-option", id: id, value: row.key });
      radio.checked = row.key === picked;
      radio.addEventListener("change", function () { picked = row.key; work(); });
      var net = {};
      ["low", "base", "high"].forEach(function (side) {
        net[side] = anchored(reported.options[row.key][side], row[side], base.options[place][side]);
      });
      return [made("span", { class: "use" }, [radio, made("label", { for: id, text: given.words.option[row.key] })]),
        euro(net.base), span(net.low, net.high)];
    });
    return table(["", words.left, words.range], rows, now.options.map(function (row) { return row.key; }).indexOf(picked));
  }
  function swingsOf(now, net) {
    return now.tornado.map(function (row) {
      var was = base.tornado.filter(function (each) { return each.key === row.key; })[0], said = reported.tornado[row.key];
      var off = ["low", "high"].map(function (end) {
        return was && said ? anchored(said[end], row[end], was[end]) : row[end] + net - now.net.base;
      });
      return Object.assign({}, row, { low: Math.min(off[0], off[1]), high: Math.max(off[0], off[1]) });
    });
  }
  function tornadoOf(now, net) {
    var rows = swingsOf(now, net).slice(0, TORNADO);
    var ends = rows.reduce(function (all, row) { return all.concat([row.low, row.high]); }, [net, 0]);
    var low = Math.min.apply(null, ends), high = Math.max.apply(null, ends), wide = high - low || 1;
    function place(cents) { return 100 * (cents - low) / wide; }
    return made("div", { class: "swings" }, rows.map(function (row) {
      var from = row.low, to = row.high;
      var bar = made("span", { class: "bar" }), zero = made("span", { class: "zero" }), mark = made("span", { class: "now" });
      bar.style.left = place(from) + "%";
      bar.style.width = Math.max(place(to) - place(from), 0.5) + "%";
      zero.style.left = place(0) + "%";
      mark.style.left = place(net) + "%";
      var name = given.labels[row.key] || row.key, how = filled(words.from_to, { from: shown(row.key, row.from), to: shown(row.key, row.to) });
      return made("div", { class: row.choice ? "swing choice" : "swing", "data-key": row.key }, [
        made("p", { text: name + ", " + how + (row.choice ? " \u00b7 " + words.choice : "") }),
        made("div", { class: "track", role: "img", "aria-label": name + ": " + span(from, to) }, [bar, zero, mark]),
        made("p", { class: "ends", text: span(from, to) })]);
    }));
  }

  function outcomeOf(now) {
    var net = {}, changed = Object.keys(values).length + off.length;
    ["low", "base", "high"].forEach(function (side) { net[side] = anchored(reported.net[side], now.net[side], base.net[side]); });
    var above = Math.min(1, Math.max(0, anchored(reported.above, now.band.above, base.band.above)));
    var payback = changed ? now.payback : reported.payback;
    headline.replaceChildren(
      made("p", { class: "kicker", text: words.net }),
      made("p", { class: "v", "data-test": "whatif-net", text: euro(net.base) }),
      made("p", { class: "ends", text: span(net.low, net.high) + " \u00b7 " + words.was + " " + euro(reported.net.base) }),
      made("p", { class: "ends", text: changed ? filled(words.changed, { count: changed }) : words.unchanged }));
    return made("div", {}, [
      made("p", { text: filled(words.above, { share: number(Math.round(100 * above)) }) + " " + (above >= 0.8 ? words.start : words.less) }),
      made("h4", { text: words.plan }), planOf(now), hoursOf(now),
      made("h4", { text: words.options }), optionsOf(now),
      made("h4", { text: words.cash }), cashOf(now),
      made("p", { text: payback === null ? words.no_payback : filled(words.payback, { month: payback }) }),
      made("h4", { text: words.tornado }), tornadoOf(now, net.base)
    ]);
  }

  var headline = made("div", { class: "headline", "aria-live": "polite" }), rest = made("div", { class: "rest" });
  var outcome = made("div", { class: "outcome" }, [headline, rest]);
  function work() {
    waiting = false;
    var began = performance.now(), now = akbPlanner.worked(basis, values, off), focus = document.activeElement;
    var kept = focus && outcome.contains(focus) ? focus.id : null;
    rest.replaceChildren(outcomeOf(now));
    if (kept) { document.getElementById(kept).focus(); }
    at.dataset.ms = Math.round(performance.now() - began);
    at.dataset.net = now.net.base;
    at.dataset.count = Number(at.dataset.count || 0) + 1;
  }
  function later() {
    if (!waiting) { waiting = true; requestAnimationFrame(work); }
  }

  // Worked out only when somebody comes near: the page is there before.
  function start() {
    if (basis) { return; }
    basis = akbPlanner.read(block);
    base = akbPlanner.worked(basis, {}, []);
    at.appendChild(controlsOf());
    at.appendChild(outcome);
    Object.keys(controls).forEach(show);
    work();
    at.dataset.ready = "";
  }
  if ("IntersectionObserver" in window) {
    var near = new IntersectionObserver(function (entries) {
      if (entries.some(function (entry) { return entry.isIntersecting; })) { near.disconnect(); start(); }
    }, { rootMargin: "1200px" });
    near.observe(at);
  } else { start(); }
})();
