// Draws the figures from the JSON beside them, in the colours of the page; nothing is fetched.
(function () {
  "use strict";
  var PRINT_WIDTH = 650, NARROW = 440, EDGE = 14; // A4 minus 2 x 18 mm, where labels go above their bars, half a zero
  var root = document.documentElement;
  var ROLES = { "#1b2430": "ink", "#566173": "muted", "#d8dde4": "line", "#1f4e9a": "klant", "#b4501b": "moment",
    "#6f4a9b": "aandacht", "#2c7a4b": "product", "#868f9b": "context" };
  var specs = Array.prototype.map.call(document.querySelectorAll("script[data-plot]"), function (node) {
    return { at: document.getElementById(node.dataset.plot), json: node.textContent };
  });

  function coloured(json) {
    var style = getComputedStyle(root);
    return JSON.parse(json, function (key, value) {
      return typeof value === "string" && ROLES[value]
        ? style.getPropertyValue("--" + ROLES[value]).trim() : value;
    });
  }

  var ruler = document.createElement("canvas").getContext("2d");
  function wide(text, weight) {
    ruler.font = weight + " 13px Inter, sans-serif";
    return ruler.measureText(text.replace(/<[^>]+>/g, "").replace(/&[^;]+;/g, "x")).width;
  }

  // A text in lines that are no wider than `room`.
  function broken(text, room) {
    return text.split(" ").reduce(function (lines, word) {
      var longer = lines[lines.length - 1] + " " + word;
      if (lines[0] === "") { return [word]; }
      if (wide(longer, "400") > room) { lines.push(word); } else { lines[lines.length - 1] = longer; }
      return lines;
    }, [""]).join("<br>");
  }

  // What stands behind a label, so that no line is drawn through it.
  function ground() { return getComputedStyle(root).getPropertyValue("--paper").trim(); }

  // What is written beyond the longest bar fits: the right margin grows until it does.
  function roomy(layout) {
    var low = layout.xaxis.range[0], span = layout.xaxis.range[1] - low;
    for (var turn = 0; turn < 9; turn += 1) {
      var inner = layout.width - layout.margin.l - layout.margin.r, over = 0;
      layout.annotations.forEach(function (note) {
        if (note.xanchor !== "left" || note.xref === "paper" || note.yref === "paper") { return; }
        over = Math.max(over, layout.margin.l + (note.x - low) / span * inner + 10 + wide(note.text, "700") - layout.width);
      });
      layout.margin.r += over;
    }
  }

  // The numbers along an axis stand upright: every second one goes until the rest have room; zero stays.
  function sparse(layout) {
    var axis = layout.xaxis, span = axis.range[1] - axis.range[0], shown = axis.ticktext || [
      axis.tickprefix + Math.round(axis.range[1]).toLocaleString("nl") + axis.ticksuffix];
    var room = (layout.width - layout.margin.l - layout.margin.r) / span;
    var need = 10 + Math.max.apply(null, shown.map(function (text) { return wide(text, "400"); }));
    axis.tickangle = 0;
    var title = axis.title || {}; // what would stick out is said above the figure too
    if (title.text && wide(title.text, "400") > room * span + 2 * Math.min(layout.margin.l, layout.margin.r)) { title.text = ""; }
    for (var turn = 0; turn < 4 && axis.dtick * room < need; turn += 1) {
      axis.dtick *= 2;
      if (!axis.tickvals) { continue; }
      var even = axis.tickvals.map(function (value) { return Math.abs(value / axis.dtick % 1) < 1e-9; });
      axis.ticktext = axis.ticktext.filter(function (_, i) { return even[i]; });
      axis.tickvals = axis.tickvals.filter(function (_, i) { return even[i]; });
    }
  }

  // Bars: labels in a column of their own, or above their bars where there is no room for one.
  function laid(plot) {
    var layout = plot.layout, bars = plot.data.filter(function (trace) { return trace.orientation === "h"; });
    if (!bars.length) { steps(plot); return; }
    var axis = layout.yaxis, labels = axis.ticktext;
    layout.yaxis.ticks = "outside"; layout.yaxis.ticklen = 8; layout.yaxis.tickcolor = "rgba(0,0,0,0)";
    if (layout.width >= (root.dataset.print === undefined ? NARROW : 280)) {
      layout.margin.l = 12 + Math.max.apply(null, labels.map(function (label) {
        return Math.max.apply(null, label.split("<br>").map(function (part) { return wide(part, "400"); }));
      }));
      roomy(layout);
      sparse(layout);
      return;
    }
    axis.showticklabels = false;
    layout.margin.l = EDGE;
    roomy(layout);
    sparse(layout);
    labels = labels.map(function (label) { return broken(label.replace(/<br>/g, " "), layout.width - 10); });
    var most = Math.max.apply(null, labels.map(function (label) { return label.split("<br>").length; }));
    layout.height += labels.length * (22 + 17 * (most - 1));
    layout.margin.t += 17 * (most - 1);
    layout.height += 17 * (most - 1);
    axis.tickvals.forEach(function (place, i) {
      layout.annotations.push({ xref: "paper", x: 0, xanchor: "left", xshift: -EDGE, y: place + 0.3, yanchor: "bottom",
        showarrow: false, text: labels[i], align: "left", bgcolor: ground(), font: { size: 13, color: layout.font.color } });
    });
  }

  // A waterfall on a phone lies on its side: its steps go down, their names stand above them.
  function steps(plot) {
    var layout = plot.layout, bar = plot.data.filter(function (trace) { return trace.type === "bar"; })[0];
    if (!bar || layout.width >= NARROW) { return; }
    var names = layout.xaxis.ticktext, last = names.length - 1, range = layout.yaxis.range;
    var ys = bar.y, notes = layout.annotations.slice(0, names.length), today = layout.annotations[names.length];
    bar.orientation = "h";
    bar.y = names.map(function (_, i) { return last - i; });
    bar.x = ys;
    bar.width = 0.4;
    layout.height = 62 * names.length + 60;
    layout.xaxis = { visible: false, range: [range[0], range[1] + 0.25 * (range[1] - range[0])], fixedrange: true };
    layout.yaxis = { visible: false, range: [-0.5, last + 0.7], fixedrange: true };
    layout.shapes = [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: 0, x1: 0, line: layout.shapes[0].line }];
    layout.annotations = [today].concat(notes.map(function (note, i) {
      return { xref: "paper", x: 0, xanchor: "left", y: last - i + 0.2, yanchor: "bottom", showarrow: false, align: "left",
        text: names[i].replace(/<br>/g, " ") + "  " + note.text, bgcolor: ground(), font: { size: 13, color: layout.font.color } };
    }));
  }

  function draw(width) {
    specs.forEach(function (spec) {
      var plot = coloured(spec.json), half = spec.at.closest(".c6");
      spec.at.style.display = "block";
      plot.layout.width = width ? (half ? (width - 22) / 2 : width) : spec.at.clientWidth;
      if (!plot.layout.width) { return; }
      laid(plot);
      var names = (plot.layout.yaxis || {}).ticktext || [];
      var tall = names.some(function (name) { return name.split("<br>").length > 2; });
      if (width && !tall) { plot.layout.height *= 0.8; } // on paper there is room for less air
      spec.at.style.height = plot.layout.height + "px";
      Plotly.react(spec.at, plot.data, plot.layout, { staticPlot: true, displayModeBar: false });
    });
  }

  // On a phone a row is a card, and each of its cells says what it is.
  document.querySelectorAll("main table").forEach(function (table) {
    if (!table.tHead || table.querySelector("[data-label], [colspan]")) { return; }
    var heads = Array.prototype.map.call(table.tHead.rows[0].cells, function (cell) { return cell.textContent.trim(); });
    Array.prototype.forEach.call(table.tBodies, function (body) {
      Array.prototype.forEach.call(body.rows, function (row) {
        Array.prototype.forEach.call(row.cells, function (cell, i) {
          if (i && heads[i]) { cell.dataset.label = heads[i]; }
        });
      });
    });
  });

  // What scrolls can be reached with the keyboard.
  function reachable() {
    document.querySelectorAll(".scroll").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth + 1) { box.tabIndex = 0; } else { box.removeAttribute("tabindex"); }
    });
  }

  // Without this script the numbers stand under every figure; with it they are one click away.
  document.querySelectorAll("details.behind").forEach(function (node) { node.open = false; });

  var timer;
  function redraw() { draw(); reachable(); }
  addEventListener("resize", function () { clearTimeout(timer); timer = setTimeout(redraw, 150); });
  document.querySelectorAll("details.more").forEach(function (node) { node.addEventListener("toggle", redraw); });
  document.querySelectorAll("details:not(.more)").forEach(function (node) { node.addEventListener("toggle", reachable); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", function () {
    root.dataset.print = ""; // paper is light, whatever the screen is
    draw(PRINT_WIDTH);
  });
  addEventListener("afterprint", function () { delete root.dataset.print; draw(); });

  if ("IntersectionObserver" in window) {
    var links = {};
    document.querySelectorAll(".toc a").forEach(function (a) { links[a.getAttribute("href").slice(1)] = a; });
    var seen = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) { return; }
        Object.keys(links).forEach(function (id) { links[id].removeAttribute("aria-current"); });
        links[entry.target.id].setAttribute("aria-current", "true");
      });
    }, { rootMargin: "-10% 0px -80% 0px" });
    document.querySelectorAll("main > section").forEach(function (section) { seen.observe(section); });
  }

  redraw();
  if (document.fonts && document.fonts.ready) { document.fonts.ready.then(redraw); }
  root.dataset.drawn = specs.length;
})();
