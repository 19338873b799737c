// Draws the figures from the JSON beside them, in the colours of the page; nothing is fetched.
(function () {
  "use strict";
  var PRINT_WIDTH = 650; // A4 minus 2 x 18 mm, in CSS pixels
  var specs = Array.prototype.map.call(document.querySelectorAll("script[data-plot]"), function (node) {
    return { at: document.getElementById(node.dataset.plot), json: node.textContent };
  });

  function coloured(json) {
    var style = getComputedStyle(document.documentElement);
    return JSON.parse(json, function (key, value) {
      return typeof value === "string" && value.charAt(0) === "@"
        ? style.getPropertyValue("--" + value.slice(1)).trim() : value;
    });
  }

  // A label that does not fit above its bar goes on with a next line, and the rows make room for it.
  var ruler = document.createElement("canvas").getContext("2d");
  function fitted(layout) {
    var labels = (layout.annotations || []).filter(function (note) { return note.xref === "paper" && note.text.indexOf("&nbsp; ") > 0; });
    var room = layout.width - layout.margin.l - layout.margin.r, size = layout.width < 480 ? 13 : 14, most = 1;
    function wide(text) { // the value behind <b> is bold
      return text.split("<b>").reduce(function (sum, part, place) {
        ruler.font = (place ? "700 " : "400 ") + size + "px " + layout.font.family;
        return sum + ruler.measureText(part.replace("</b>", "").replace(/&[^;]+;/g, "x")).width;
      }, 0);
    }
    labels.forEach(function (label) {
      var parts = label.text.split("&nbsp; "), words = parts[0].split(" "), lines = [words.shift()];
      words.map(function (word) { return " " + word; }).concat("&nbsp; " + parts[1]).forEach(function (more) {
        if (wide(lines[lines.length - 1] + more) > room) { lines.push(more.replace(/^(&nbsp;)? /, "")); }
        else { lines[lines.length - 1] += more; }
      });
      label.text = lines.join("<br>");
      label.font.size = size;
      most = Math.max(most, lines.length);
    });
    layout.height += labels.length * (most - 1) * 18;
    labels.forEach(function (label) { label.yshift += 4 * (most - 1); });
  }

  function draw(width) {
    specs.forEach(function (spec) {
      var plot = coloured(spec.json);
      plot.layout.width = width || spec.at.clientWidth;
      fitted(plot.layout);
      spec.at.style.height = plot.layout.height + "px";
      Plotly.react(spec.at, plot.data, plot.layout, { staticPlot: true, displayModeBar: false });
    });
  }

  var timer;
  addEventListener("resize", function () {
    clearTimeout(timer);
    timer = setTimeout(function () { draw(); }, 150);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { draw(); });

  var closed = [];
  addEventListener("beforeprint", function () {
    closed = Array.prototype.filter.call(document.querySelectorAll("details"), function (node) { return !node.open; });
    closed.forEach(function (node) { node.open = true; });
    document.documentElement.dataset.print = ""; // paper is light, whatever the screen is
    draw(PRINT_WIDTH);
  });
  addEventListener("afterprint", function () {
    closed.forEach(function (node) { node.open = false; });
    delete document.documentElement.dataset.print;
    draw();
  });

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

  draw();
  document.documentElement.dataset.drawn = specs.length;
})();
