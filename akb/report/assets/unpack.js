// Unpacks Plotly, which the page carries deflated (RFC 1951), and runs it; its policy knows the script's hash.
(function () {
  "use strict";
  var BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
  var MORE = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
  var BACK = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
    6145, 8193, 12289, 16385, 24577];
  var FURTHER = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
  var ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

  function inflated(source, size) {
    var out = new Uint8Array(size), written = 0, at = 0, held = 0, holds = 0;
    function bits(count) {
      while (holds < count) { held |= source[at++] << holds; holds += 8; }
      var value = held & (1 << count) - 1;
      held >>>= count;
      holds -= count;
      return value;
    }
    // A canonical code: how many words of each length, and the symbols in order of their words.
    function code(lengths) {
      var counts = new Uint16Array(16), starts = new Uint16Array(16), symbols = new Uint16Array(lengths.length);
      lengths.forEach(function (length) { counts[length] += 1; });
      counts[0] = 0;
      for (var i = 1; i < 16; i += 1) { starts[i] = starts[i - 1] + counts[i - 1]; }
      lengths.forEach(function (length, symbol) { if (length) { symbols[starts[length]++] = symbol; } });
      return { counts: counts, symbols: symbols };
    }
    function next(of) {
      for (var length = 1, word = 0, first = 0, index = 0; length < 16; length += 1) {
        word |= bits(1);
        var count = of.counts[length];
        if (word - count < first) { return of.symbols[index + word - first]; }
        index += count;
        first = first + count << 1;
        word <<= 1;
      }
      throw new Error("packed script is damaged");
    }
    function filled(count, value) { return new Array(count).fill(value); }
    function codes() {
      var literals = bits(5) + 257, distances = bits(5) + 1, lengths = filled(19, 0), many = bits(4) + 4;
      for (var i = 0; i < many; i += 1) { lengths[ORDER[i]] = bits(3); }
      var of = code(lengths), all = [];
      while (all.length < literals + distances) {
        var symbol = next(of), last = all[all.length - 1];
        if (symbol < 16) { all.push(symbol); }
        else if (symbol === 16) { all = all.concat(filled(3 + bits(2), last)); }
        else { all = all.concat(filled(symbol === 17 ? 3 + bits(3) : 11 + bits(7), 0)); }
      }
      return [code(all.slice(0, literals)), code(all.slice(literals))];
    }
    function block(literal, distance) {
      for (;;) {
        var symbol = next(literal);
        if (symbol === 256) { return; }
        if (symbol < 256) { out[written++] = symbol; continue; }
        var length = BASE[symbol - 257] + bits(MORE[symbol - 257]), far = next(distance), back = BACK[far] + bits(FURTHER[far]);
        for (; length > 0; length -= 1, written += 1) { out[written] = out[written - back]; }
      }
    }
    for (var last = 0; !last;) {
      last = bits(1);
      var kind = bits(2);
      if (kind === 0) {
        held = holds = 0;
        var count = source[at] | source[at + 1] << 8;
        at += 4;
        out.set(source.subarray(at, at + count), written);
        at += count;
        written += count;
      } else if (kind === 1) {
        block(code(filled(144, 8).concat(filled(112, 9), filled(24, 7), filled(8, 8))), code(filled(30, 5)));
      } else { block.apply(null, codes()); }
    }
    return out;
  }

  var node = document.getElementById("packed"), raw = atob(node.textContent.trim());
  var source = Uint8Array.from(raw, function (letter) { return letter.charCodeAt(0); }), script = document.createElement("script");
  script.textContent = new TextDecoder().decode(inflated(source, Number(node.dataset.size)));
  document.head.appendChild(script);
})();
