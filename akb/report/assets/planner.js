// Works the business case out anew under other assumptions: the plan, its euros, cash, options and tornado.
// The same as akb/value/case/page/worked.py, line by line; both pass the same vectors.
var akbPlanner = (function () {
  "use strict";
  var POOLS = ["inside", "adviser"], SIDES = ["low", "base", "high"], LINES = ["relation", "policy", "purchase"];
  var EFFECT = { relation: "effect_relation", policy: "effect_policy", purchase: "effect_purchase" };
  var FLAGS = ["wakeable", "repeated", "post", "email", "phone"];
  var PLACE = 0.7, FAR = 20, ROUNDS = 100, SAME = 1e-12, CANDIDATES = 5, YEARS = 5, YEAR = 12, EXACT = 1e-10;
  var BAND = [50, 500, 949]; // of a thousand draws in order: 5, 50 and 95 %

  // --- what the page holds -------------------------------------------------------------------------------------
  function bytes(text) {
    var raw = atob(text), out = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i += 1) { out[i] = raw.charCodeAt(i); }
    return new DataView(out.buffer);
  }
  function floats(text) {
    var view = bytes(text), out = new Float64Array(view.byteLength / 4);
    for (var i = 0; i < out.length; i += 1) { out[i] = view.getFloat32(4 * i, true); }
    return out;
  }
  function places(text) {
    var view = bytes(text), out = new Float64Array(view.byteLength / 2);
    for (var i = 0; i < out.length; i += 1) { out[i] = (view.getUint16(2 * i, true) + 0.5) / 65536; }
    return out;
  }
  function mapped(object, how) {
    var out = {};
    Object.keys(object).forEach(function (key) { out[key] = how(object[key], key); });
    return out;
  }

  function read(block) {
    var rows = mapped(block.rows, floats), flags = {};
    FLAGS.forEach(function (name, place) {
      flags[name] = Uint8Array.from(rows.flags, function (bits) { return bits >> place & 1; });
    });
    return { block: block, n: rows.weight.length, rows: rows, flags: flags, likely: block.likely.places.map(floats),
      profile: mapped(block.profile, floats), draws: mapped(block.draws, places) };
  }

  // --- the register and the ladder under other values ----------------------------------------------------------
  function register(block, values) {
    return mapped(block.register, function (entry, name) {
      if (!(name in values)) { return { value: entry.value, low: entry.low, high: entry.high }; }
      var value = values[name];
      return { value: value, low: Math.min(value, entry.least), high: Math.max(value, entry.most) };
    });
  }

  function ladder(block, reg, off) {
    var there = Object.keys(block.ladder).filter(function (key) { return off.indexOf(key) < 0; }), out = {}, before;
    do {
      before = there.length;
      there = there.filter(function (key) {
        var other = block.ladder[key].otherwise;
        return other === null || there.indexOf(other) >= 0;
      });
    } while (there.length < before);
    there.forEach(function (key) {
      var own = block.ladder[key], entry = function (name) { return reg["contacts." + key + "." + name]; };
      var ends = function (name) {
        return { low: entry(name).low, base: entry(name).value, high: entry(name).high };
      };
      var sells = own.purposes.indexOf("cross_sell") >= 0;
      out[key] = { key: key, pool: own.pool, consent: own.consent, most: own.per_year, inbound: own.reach === "inbound",
        otherwise: own.otherwise, keeps: own.purposes.indexOf("retention") >= 0,
        breadth: sells ? Math.min(own.branches, CANDIDATES) : 0,
        relation: ends("effect_relation"), policy: ends("effect_policy"), purchase: ends("effect_purchase"),
        minutes: entry("minutes").value, cost: entry("cost").value, followUp: entry("follow_up").value,
        followUpMinutes: entry("follow_up_minutes").value, saleMinutes: entry("sale_minutes").value };
    });
    return out;
  }

  // --- what a contact could change -----------------------------------------------------------------------------
  // A chance after its odds are so many times what they were.
  function pushed(chance, times) {
    var odds = chance * times;
    return odds / (1 - chance + odds);
  }

  // The shift of log-odds with which the mean over all who can buy rises by so many points.
  function shiftOf(basis, breadth, points) {
    var weight = basis.block.likely.weight, all = weight.reduce(function (sum, each) { return sum + each; }, 0);
    if (points === 0 || !all || !breadth) { return 0; }
    var slope;
    function excess(shift) {
      var sum = 0, times = Math.exp(shift);
      slope = 0;
      for (var place = 0, part = 1; place < breadth; place += 1, part *= PLACE) {
        var likely = basis.likely[place];
        for (var i = 0; i < likely.length; i += 1) {
          var chance = pushed(likely[i], times);
          sum += weight[i] / all * part * (chance - likely[i]);
          slope += weight[i] / all * part * chance * (1 - chance);
        }
      }
      return sum - points;
    }
    if (excess(FAR) < 0) { return FAR; }
    if (excess(-FAR) > 0) { return -FAR; }
    var low = -FAR, high = FAR, shift = 0;
    for (var round = 0; round < ROUNDS; round += 1) {
      var over = excess(shift);
      if (over > 0) { high = shift; } else { low = shift; }
      var nearer = slope > 0 ? shift - over / slope : Infinity;
      if (!(low <= nearer && nearer <= high)) { nearer = (low + high) / 2; }
      if (Math.abs(nearer - shift) < SAME) { break; }
      shift = nearer;
    }
    return shift;
  }

  // Purchases more per row and place if it were the first to be discussed: one array of n x places.
  function pushesOf(basis, types, prospects) {
    var found = {};
    return mapped(types, function (contact) {
      var out = {};
      SIDES.forEach(function (side) {
        var points = contact.purchase[side], same = points + "/" + contact.breadth;
        if (!(same in found)) {
          var shift = shiftOf(basis, contact.breadth, points), more = new Float64Array(basis.n * CANDIDATES);
          if (shift !== 0) {
            var times = Math.exp(shift), chance = prospects.chance;
            for (var i = 0; i < more.length; i += 1) { more[i] = pushed(chance[i], times) - chance[i]; }
          }
          found[same] = more;
        }
        out[side] = found[same];
      });
      return out;
    });
  }

  function wide(basis, name) {
    var out = new Float64Array(basis.n * CANDIDATES);
    for (var place = 0; place < CANDIDATES; place += 1) {
      var column = basis.rows[name + "_" + (place + 1)];
      for (var i = 0; i < basis.n; i += 1) { out[i * CANDIDATES + place] = column[i]; }
    }
    return out;
  }

  // What is at stake where an hour costs so much more: serving customers costs more.
  function prospectsAt(basis, office, adviser) {
    var rows = basis.rows, n = basis.n, worth = wide(basis, "worth"), dearer = basis.block.policy_cost * office;
    var relation = new Float64Array(n), policy = new Float64Array(n), year = new Float64Array(n), before = new Float64Array(n);
    for (var i = 0; i < n; i += 1) {
      relation[i] = rows.relation[i] + rows.relation_office[i] * office + rows.relation_adviser[i] * adviser;
      policy[i] = rows.policy[i] + rows.policy_office[i] * office;
      var rate = rows.inbound_rate[i];
      year[i] = -Math.expm1(-rate);
      before[i] = rate < 1e-4 ? rate / 2 : 1 + Math.expm1(-rate) / rate;
      for (var place = i * CANDIDATES; place < (i + 1) * CANDIDATES; place += 1) {
        worth[place] = worth[place] > 0 ? Math.max(worth[place] - dearer * rows.years[i], 0) : 0;
      }
    }
    return { relation: relation, policy: policy, worth: worth, chance: wide(basis, "chance"), year: year, before: before,
      repeated: basis.flags.repeated };
  }

  // What is discussed with one row: places in `order`, the best first; what does not pay is not discussed.
  var order = new Int32Array(CANDIDATES), gain = new Float64Array(CANDIDATES);
  function discuss(prospects, more, breadth, selling, row) {
    var first = row * CANDIDATES, filled = 0, worth = prospects.worth;
    for (var place = first; place < first + CANDIDATES; place += 1) {
      var net = worth[place] - selling;
      if (net <= 0) { continue; }
      var value = more[place] * net, at = filled;
      while (at > 0 && gain[at - 1] < value) { at -= 1; }
      if (at >= breadth) { continue; }
      for (var move = Math.min(filled, breadth - 1); move > at; move -= 1) {
        gain[move] = gain[move - 1];
        order[move] = order[move - 1];
      }
      gain[at] = value;
      order[at] = place;
      if (filled < breadth) { filled += 1; }
    }
    return filled;
  }

  // Of these rows, or of all: cents and purchases that an offer brings.
  function offerOf(work, key, pool, side, rows) {
    var name = key + "/" + pool, contact = work.types[key], n = work.basis.n;
    if (!rows && name in work.offers) { return work.offers[name]; }
    var brings = new Float64Array(n), sales = new Float64Array(n), selling = contact.saleMinutes * work.rates[pool];
    var base = work.pushes[key].base, more = work.pushes[key][side], worth = work.prospects.worth;
    var breadth = contact.breadth, count = breadth ? (rows ? rows.length : n) : 0;
    for (var each = 0; each < count; each += 1) {
      var i = rows ? rows[each] : each, filled = discuss(work.prospects, base, breadth, selling, i), cents = 0, sold = 0;
      for (var place = 0, part = 1; place < filled; place += 1, part *= PLACE) {
        var gained = more[order[place]] * part;
        cents += gained * (worth[order[place]] - selling);
        sold += gained;
      }
      brings[i] = cents;
      sales[i] = sold;
    }
    var offer = { brings: brings, sales: sales };
    if (!rows) { work.offers[name] = offer; }
    return offer;
  }

  // One option at one side, before purposes and repeats: keeps per cent at stake, and what is sold.
  function rawOf(work, option, side, rows) {
    var contact = work.types[option.key], n = work.basis.n, offer = offerOf(work, option.key, option.pool, side, rows);
    var relation = new Float64Array(n), policy = new Float64Array(n), brings = offer.brings, sales = offer.sales;
    var keeps = contact.keeps ? 1 : 0, other = contact.inbound && contact.otherwise ? work.types[contact.otherwise] : null;
    if (!contact.inbound) {
      relation.fill(keeps * contact.relation[side]);
      policy.fill(keeps * contact.policy[side]);
      return { relation: relation, policy: policy, brings: brings, sales: sales };
    }
    var rest = other ? offerOf(work, other.key, option.pool, side, rows) : offer, otherKeeps = other && other.keeps ? 1 : 0;
    var instead = other ? [otherKeeps * other.relation[side], otherKeeps * other.policy[side], 1] : [0, 0, 0];
    var own = [keeps * contact.relation[side], keeps * contact.policy[side]], count = rows ? rows.length : n;
    brings = new Float64Array(n);
    sales = new Float64Array(n);
    for (var each = 0; each < count; each += 1) {
      var i = rows ? rows[each] : each, year = work.prospects.year[i], before = work.prospects.before[i];
      relation[i] = own[0] * before + instead[0] * (1 - before);
      policy[i] = own[1] * before + instead[1] * (1 - before);
      brings[i] = offer.brings[i] * year + instead[2] * rest.brings[i] * (1 - year);
      sales[i] = offer.sales[i] * year + instead[2] * rest.sales[i] * (1 - year);
    }
    return { relation: relation, policy: policy, brings: brings, sales: sales };
  }

  function optionsOf(types) {
    var own = Object.keys(types).map(function (key) { return { key: key, pool: types[key].pool }; });
    return own.concat(own.filter(function (each) { return each.pool === "inside"; })
      .map(function (each) { return { key: each.key, pool: "adviser" }; }));
  }

  // The columns of one option: value, minutes and cost per row.
  function columnOf(work, option) {
    var contact = work.types[option.key], n = work.basis.n, prospects = work.prospects, reg = work.reg;
    var other = contact.inbound && contact.otherwise ? work.types[contact.otherwise] : null;
    var raw = rawOf(work, option, "base"), value = new Float64Array(n), cost = new Float64Array(n);
    var minutes = [new Float64Array(n), new Float64Array(n)], own = POOLS.indexOf(option.pool);
    var keepFirst = new Uint8Array(n), begins = !contact.inbound || other !== null;
    var reachable = work.basis.flags[contact.consent], wakeable = work.basis.flags.wakeable;
    var secondary = reg["planning.secondary_share"].value, repeat = reg["planning.repeat_share"].value;
    for (var i = 0; i < n; i += 1) {
      var part = contact.inbound ? prospects.year[i] : 1;
      var paid = 100 * part * contact.cost;
      if (own >= 0) { minutes[own][i] += part * contact.minutes; }
      minutes[1][i] += part * contact.followUp * contact.followUpMinutes;
      if (other) {
        paid += 100 * (1 - part) * other.cost;
        if (own >= 0) { minutes[own][i] += (1 - part) * other.minutes; }
        minutes[1][i] += (1 - part) * other.followUp * other.followUpMinutes;
      }
      cost[i] = paid + minutes[0][i] * work.rates.inside + minutes[1][i] * work.rates.adviser;
      var keep = raw.relation[i] * prospects.relation[i] + raw.policy[i] * prospects.policy[i], sell = raw.brings[i];
      keepFirst[i] = keep >= sell ? 1 : 0;
      var again = prospects.repeated[i] ? repeat : 1;
      var total = keepFirst[i] ? again * (keep + secondary * sell) : again * (secondary * keep + sell);
      value[i] = reachable[i] && (wakeable[i] || !begins) ? total - cost[i] : -Infinity;
    }
    return { option: option, value: value, minutes: minutes, cost: cost, keepFirst: keepFirst, raw: { base: raw } };
  }

  // --- the plan: a few prices, found by columns that are whole plans ---------------------------------------------
  // Only rows for which something pays are looked at: their columns packed together.
  function packed(work) {
    var n = work.basis.n, pays = new Uint8Array(n), rows = [];
    work.columns.forEach(function (column) {
      for (var i = 0; i < n; i += 1) { if (column.value[i] > 0) { pays[i] = 1; } }
    });
    for (var i = 0; i < n; i += 1) { if (pays[i]) { rows.push(i); } }
    function of(column) {
      var out = new Float64Array(rows.length);
      for (var at = 0; at < out.length; at += 1) { out[at] = column[rows[at]]; }
      return out;
    }
    return { rows: rows, weight: of(work.basis.rows.weight), columns: work.columns.map(function (column) {
      return { key: column.option.key, value: of(column.value), minutes: column.minutes.map(of) };
    }) };
  }
  function bestAt(pack, prices, groupPrices) {
    var n = pack.rows.length, brings = new Float64Array(n), choice = new Int16Array(n).fill(-1);
    pack.columns.forEach(function (column, place) {
      var value = column.value, inside = column.minutes[0], adviser = column.minutes[1];
      var a = prices[0], b = prices[1], group = groupPrices[column.key] || 0;
      for (var i = 0; i < n; i += 1) {
        var left = value[i] - inside[i] * a - adviser[i] * b - group;
        if (left > brings[i]) { brings[i] = left; choice[i] = place; }
      }
    });
    return { brings: brings, choice: choice };
  }

  function planOf(work) {
    var pack = packed(work), n = pack.rows.length, weight = pack.weight, groups = Object.keys(work.types).filter(function (key) {
      return work.types[key].most !== null;
    });
    var limits = POOLS.map(function (pool) { return work.available[pool]; })
      .concat(groups.map(function (key) { return work.types[key].most; }), [1]);
    var size = limits.length, columns = [], at = new Array(size).fill(0), bestDual = Infinity, incumbent = at.slice();
    var inverse = limits.map(function (_, i) { return limits.map(function (__, j) { return i === j ? 1 : 0; }); });
    var basic = limits.map(function (_, i) { return -1 - i; }), amount = limits.slice();

    function asked(prices) {
      var byGroup = {};
      groups.forEach(function (key, place) { byGroup[key] = prices[2 + place]; });
      var best = bestAt(pack, prices, byGroup), uses = new Array(size).fill(0), total = 0, dual = 0;
      for (var i = 0; i < n; i += 1) {
        dual += weight[i] * best.brings[i];
        if (best.choice[i] < 0) { continue; }
        var column = pack.columns[best.choice[i]], group = groups.indexOf(column.key);
        total += weight[i] * column.value[i];
        uses[0] += weight[i] * column.minutes[0][i];
        uses[1] += weight[i] * column.minutes[1][i];
        if (group >= 0) { uses[2 + group] += weight[i]; }
      }
      uses[size - 1] = 1;
      return { choice: best.choice, total: total, uses: uses, brings: dual };
    }
    function duals() {
      return limits.map(function (_, j) {
        return basic.reduce(function (sum, which, i) { return sum + (which < 0 ? 0 : columns[which].total) * inverse[i][j]; }, 0);
      });
    }
    function enter(which, uses) {
      var step = inverse.map(function (row) { return row.reduce(function (sum, each, j) { return sum + each * uses[j]; }, 0); });
      var out = -1, least = Infinity;
      step.forEach(function (each, i) {
        if (each <= 1e-11) { return; }
        var ratio = Math.max(amount[i], 0) / each;
        if (ratio < least - 1e-15 || (ratio <= least && out >= 0 && basic[i] < basic[out])) { least = ratio; out = i; }
      });
      if (out < 0) { return false; }
      inverse[out] = inverse[out].map(function (each) { return each / step[out]; });
      amount[out] = least;
      step.forEach(function (each, i) {
        if (i === out) { return; }
        amount[i] -= each * least;
        inverse[i] = inverse[i].map(function (entry, j) { return entry - each * inverse[out][j]; });
      });
      basic[out] = which;
      return true;
    }
    function unit(place) { return limits.map(function (_, j) { return j === place ? 1 : 0; }); }
    function improve() {
      for (var turn = 0; turn < 200; turn += 1) {
        var y = duals(), top = 1e-9, which = null, uses = null;
        limits.forEach(function (_, j) {
          if (basic.indexOf(-1 - j) < 0 && -y[j] > top) { top = -y[j]; which = -1 - j; uses = unit(j); }
        });
        columns.forEach(function (column, place) {
          if (basic.indexOf(place) >= 0) { return; }
          var reduced = column.total - column.uses.reduce(function (sum, each, j) { return sum + each * y[j]; }, 0);
          if (reduced > top * 1e-3 && reduced > 1e-9 * Math.max(1, Math.abs(column.total)) && (which === null || reduced > top)) {
            top = reduced; which = place; uses = column.uses;
          }
        });
        if (which === null || !enter(which, uses)) { return y; }
      }
      return duals();
    }

    var free = asked(at);
    if (free.uses.every(function (each, j) { return j === size - 1 || each <= limits[j] * (1 + 1e-12); })) {
      return { rows: pack.rows, shares: [[1, free.choice]], prices: at };
    }
    columns.push(free);
    bestDual = free.brings;
    for (var round = 0; round < 300; round += 1) {
      var y = improve(), prices = y.map(function (each, j) { return j === size - 1 ? 0 : Math.max(each, 0); });
      var found = asked(prices);
      var dual = found.brings + prices.reduce(function (sum, each, j) { return j === size - 1 ? sum : sum + each * limits[j]; }, 0);
      if (dual < bestDual) { bestDual = dual; incumbent = prices; }
      var primal = basic.reduce(function (sum, which, i) { return sum + (which < 0 ? 0 : columns[which].total * amount[i]); }, 0);
      if (bestDual - primal <= EXACT * Math.max(Math.abs(bestDual), 1)) { break; }
      columns.push(found);
    }
    var shares = [];
    basic.forEach(function (which, i) {
      if (which >= 0 && amount[i] > 1e-12) { shares.push([amount[i], columns[which].choice]); }
    });
    return { rows: pack.rows, shares: shares, prices: incumbent };
  }

  // --- sums of a plan ---------------------------------------------------------------------------------------------
  function cohortOf(work) {
    var plan = planOf(work), n = work.basis.n, weight = work.basis.rows.weight, rows = work.basis.rows;
    var sums = {}, contacted = new Float64Array(n), sold = new Float64Array(n);
    var kept = { relation: new Float64Array(n), policy: new Float64Array(n), purchase: new Float64Array(n) };
    var secondary = work.reg["planning.secondary_share"].value, repeat = work.reg["planning.repeat_share"].value;
    function sides() { return { low: 0, base: 0, high: 0 }; }
    function add(i, share, place) {
      var column = work.columns[place], option = column.option, mine = sums[place];
      if (!mine) {
        mine = sums[place] = { key: option.key, pool: option.pool, customers: 0, reached: 0, cost: 0,
          minutes: { inside: 0, adviser: 0 }, relation: sides(), policy: sides(), purchase: sides(),
          leavers: sides(), policies: sides(), sales: sides() };
        SIDES.forEach(function (side) { column.raw[side] = column.raw[side] || rawOf(work, option, side, chosen[place]); });
      }
      var counts = share * weight[i], again = work.prospects.repeated[i] ? repeat : 1;
      var keeping = (column.keepFirst[i] ? 1 : secondary) * again, selling = (column.keepFirst[i] ? secondary : 1) * again;
      mine.customers += counts;
      mine.reached += counts * (work.types[option.key].inbound ? work.prospects.year[i] : 1);
      mine.cost += counts * column.cost[i];
      mine.minutes.inside += counts * column.minutes[0][i];
      mine.minutes.adviser += counts * column.minutes[1][i];
      for (var turn = 0; turn < 3; turn += 1) {
        var side = SIDES[turn], raw = column.raw[side];
        mine.relation[side] += counts * keeping * raw.relation[i] * work.prospects.relation[i];
        mine.policy[side] += counts * keeping * raw.policy[i] * work.prospects.policy[i];
        mine.purchase[side] += counts * selling * raw.brings[i];
        mine.leavers[side] += counts * keeping * raw.relation[i] * rows.leaving[i];
        mine.policies[side] += counts * keeping * raw.policy[i] * rows.lost[i];
        mine.sales[side] += counts * selling * raw.sales[i];
      }
      var base = column.raw.base;
      contacted[i] += share;
      sold[i] += share * selling * base.sales[i];
      kept.relation[i] += rows.leaving[i] > 0 ? share * keeping * base.relation[i] : 0;
      kept.policy[i] += rows.lost[i] > 0 ? share * keeping * base.policy[i] : 0;
      kept.purchase[i] += share * selling * base.brings[i];
    }
    var chosen = work.columns.map(function () { return []; });
    function everybody(what) {
      plan.shares.forEach(function (each) {
        for (var at = 0; at < plan.rows.length; at += 1) {
          if (each[1][at] >= 0) { what(plan.rows[at], each[0], each[1][at]); }
        }
      });
    }
    everybody(function (row, share, place) { chosen[place].push(row); });
    everybody(add);
    var calendar = {};
    LINES.forEach(function (line) {
      calendar[line] = new Float64Array(YEARS + 1);
      for (var i = 0; i < n; i += 1) {
        if (!kept[line][i]) { continue; }
        var times = line === "purchase" || !rows[line][i] ? 1 : work.prospects[line][i] / rows[line][i];
        for (var year = 0; year <= YEARS; year += 1) {
          calendar[line][year] += weight[i] * kept[line][i] * times * rows[line + "_" + (year + 1)][i];
        }
      }
    });
    var order = Object.keys(sums).map(Number).sort(function (a, b) { return a - b; });
    return { sums: order.map(function (place) { return sums[place]; }), calendar: calendar, prices: plan.prices,
      contacted: contacted, sold: sold };
  }

  function nextYear(work, cohort) {
    var worth = work.prospects.worth.slice(), repeated = new Uint8Array(work.basis.n);
    for (var i = 0; i < repeated.length; i += 1) {
      repeated[i] = cohort.contacted[i] > 0.5 ? 1 : 0;
      var left = Math.max(1 - cohort.sold[i], 0);
      for (var place = i * CANDIDATES; left < 1 && place < (i + 1) * CANDIDATES; place += 1) { worth[place] *= left; }
    }
    var prospects = Object.assign({}, work.prospects, { worth: worth, repeated: repeated });
    return settled(Object.assign({}, work, { prospects: prospects }));
  }
  function settled(work) {
    work.offers = {};
    work.columns = optionsOf(work.types).map(function (option) { return columnOf(work, option); });
    return work;
  }

  // --- the case ---------------------------------------------------------------------------------------------------
  function sum(list, of) { return list.reduce(function (total, each) { return total + of(each); }, 0); }
  function lineOf(cohort, line, side) { return sum(cohort.sums, function (each) { return each[line][side]; }); }
  function gained(cohort) { return sum(LINES, function (line) { return lineOf(cohort, line, "base"); }); }
  function spent(cohort) { return sum(cohort.sums, function (each) { return each.cost; }); }

  function benefit(work, cohort, line) {
    var level = work.basis.block.levels[line], base = lineOf(cohort, line, "base");
    var low = lineOf(cohort, line, "low"), high = lineOf(cohort, line, "high");
    low *= low >= 0 ? level[0] : level[2];
    high *= high >= 0 ? level[2] : level[0];
    return { low: Math.min(low, high, base), base: base, high: Math.max(low, high, base) };
  }
  function costAt(work, each, values) {
    var contact = work.types[each.key], own = "contacts." + each.key + ".", reg = work.reg;
    var name = each.pool === "adviser" ? "cost.rate_adviser" : "cost.rate_office";
    function at(key, usual) { return key in values ? values[key] : usual; }
    var rate = at(name, reg[name].value), minutes = at(own + "minutes", contact.minutes), paid = at(own + "cost", contact.cost);
    var hourly = each.pool === "automatic" ? 0 : 100 / 60;
    var time = hourly * each.reached * (minutes * rate - contact.minutes * reg[name].value);
    return Math.max(each.cost + time + 100 * each.reached * (paid - contact.cost), 0);
  }
  function contacts(work, cohort) {
    var out = { low: 0, base: 0, high: 0 };
    cohort.sums.forEach(function (each) {
      var own = "contacts." + each.key + ".", rate = each.pool === "adviser" ? "cost.rate_adviser" : "cost.rate_office";
      [["low", "high"], ["high", "low"]].forEach(function (pair) {
        var values = {};
        [own + "minutes", own + "cost", rate].forEach(function (name) { values[name] = work.reg[name][pair[1]]; });
        out[pair[0]] += costAt(work, each, values);
      });
      out.base += each.cost;
    });
    return { low: Math.max(out.low, out.base), base: out.base, high: Math.min(out.high, out.base) };
  }
  function price(work) {
    var entry = work.reg["price.per_customer"], customers = 100 * work.basis.block.customers;
    return { low: customers * entry.high, base: customers * entry.value, high: customers * entry.low };
  }
  function gainedLess(work, cohort, share) {
    var lines = LINES.map(function (line) { return benefit(work, cohort, line); }), paid = contacts(work, cohort), out = {};
    SIDES.forEach(function (side) { out[side] = share * sum(lines, function (each) { return each[side]; }) - paid[side]; });
    return out;
  }

  function options(work, cohorts) {
    var years = cohorts.map(function (each) { return gainedLess(work, each, 1); }), reg = work.reg, each = price(work);
    var aged = gainedLess(work, cohorts[0], reg["lists.ageing"].value), analysis = 100 * reg["price.eda"].value;
    var hours = reg["price.self_hours"], rate = 100 * reg["cost.rate_office"].value;
    var own = { low: rate * hours.high, base: rate * hours.value, high: rate * hours.low };
    return [["once"], ["self", own], ["service", each]].map(function (pair) {
      var out = { key: pair[0] };
      SIDES.forEach(function (side) {
        var every = sum(years, function (year) { return year[side]; });
        out[side] = pair[1] ? every - 3 * pair[1][side] - analysis : aged[side] - analysis;
      });
      return out;
    });
  }

  function cashOf(work, cohorts) {
    var profile = work.basis.profile, paid = price(work).base, months = new Float64Array(YEARS * YEAR);
    function of(year) { return cohorts[year === 0 ? 0 : 1 + (year - 1) % 2]; }
    for (var begun = 0; begun < YEARS; begun += 1) {
      LINES.forEach(function (line) {
        for (var month = 0; month < (YEARS - begun) * YEAR; month += 1) {
          months[begun * YEAR + month] += of(begun).calendar[line][Math.floor(month / YEAR)] * profile[line][month];
        }
      });
    }
    var years = [], total = -100 * work.reg["price.eda"].value, least = Math.min(0, total), below = -1;
    for (var year = 0; year < YEARS; year += 1) {
      var came = months.slice(year * YEAR, (year + 1) * YEAR).reduce(function (a, b) { return a + b; }, 0), asks = spent(of(year));
      years.push({ benefit: came, contacts: asks, price: paid, net: came - asks - paid });
    }
    for (var at = 0; at < months.length; at += 1) {
      var now = years[Math.floor(at / YEAR)];
      total += months[at] - (now.contacts + now.price) / YEAR;
      least = Math.min(least, total);
      if (total < 0) { below = at; }
    }
    var later = cohorts.slice(1), brings = sum(later, function (each) {
      return sum(LINES, function (line) { return each.calendar[line][YEARS]; });
    }) / 2, asksLater = sum(later, spent) / 2;
    return { years: years, payback: below < 0 ? 1 : below + 2 <= YEARS * YEAR ? below + 2 : null, deepest: least,
      running: { benefit: brings, contacts: asksLater, price: paid, net: brings - asksLater - paid } };
  }

  // --- what it depends on -------------------------------------------------------------------------------------------
  function drawn(work, cohort) {
    var used = {};
    cohort.sums.forEach(function (each) { used[each.key] = true; });
    var names = [];
    Object.keys(used).sort().forEach(function (key) {
      ["effect_relation", "effect_policy", "effect_purchase", "minutes", "cost"].forEach(function (field) {
        names.push("contacts." + key + "." + field);
      });
    });
    return names.concat(["cost.rate_office", "cost.rate_adviser", "price.per_customer"]);
  }
  function lineAt(work, each, line, values) {
    var name = "contacts." + each.key + "." + EFFECT[line], entry = work.reg[name], amounts = each[line];
    if (entry.high <= entry.low || !(name in values)) { return amounts.base; }
    var at = values[name];
    if (at === entry.value) { return amounts.base; }
    if (at < entry.low) { return amounts.low; }
    if (at >= entry.high) { return amounts.high; }
    if (at < entry.value) { return amounts.low + (amounts.base - amounts.low) * (at - entry.low) / (entry.value - entry.low); }
    return amounts.base + (amounts.high - amounts.base) * (at - entry.value) / (entry.high - entry.value);
  }
  function netAt(work, cohort, values, levels) {
    var paid = "price.per_customer" in values ? values["price.per_customer"] : work.reg["price.per_customer"].value;
    return sum(LINES, function (line) {
      return (levels ? levels[line] : 1) * sum(cohort.sums, function (each) { return lineAt(work, each, line, values); });
    }) - sum(cohort.sums, function (each) { return costAt(work, each, values); }) - 100 * paid * work.basis.block.customers;
  }
  function tornado(work, cohort) {
    return drawn(work, cohort).map(function (name) {
      var entry = work.reg[name], choice = name === "price.per_customer" && entry.high <= entry.low;
      var ends = choice ? [entry.value / 2, entry.value * 2] : [entry.low, entry.high], low = {}, high = {};
      low[name] = ends[0];
      high[name] = ends[1];
      return { key: name, from: ends[0], at: entry.value, to: ends[1], choice: choice,
        low: netAt(work, cohort, low), high: netAt(work, cohort, high) };
    }).filter(function (row) { return Math.round(row.low) !== Math.round(row.high); }).sort(function (a, b) {
      return Math.abs(b.high - b.low) - Math.abs(a.high - a.low) || (a.key < b.key ? -1 : 1);
    });
  }
  function triangular(position, low, mode, high) {
    if (high <= low) { return mode; }
    var turn = (mode - low) / (high - low);
    return position < turn ? low + Math.sqrt(position * (high - low) * (mode - low))
      : high - Math.sqrt((1 - position) * (high - low) * (high - mode));
  }
  // All assumptions drawn at once, name by name; as netAt, for every draw.
  function band(work, cohort) {
    var levels = work.basis.block.levels, count = work.basis.block.draw_count, nets = new Float64Array(count);
    var known = {};
    function values(name, low, mode, high) {
      if (!(name in known)) {
        var at = work.basis.draws[name];
        known[name] = Float64Array.from(at, function (position) { return triangular(position, low, mode, high); });
      }
      return known[name];
    }
    function of(name) { return values(name, work.reg[name].low, work.reg[name].value, work.reg[name].high); }
    LINES.forEach(function (line) {
      var level = values("level." + line, levels[line][0], levels[line][1], levels[line][2]);
      cohort.sums.forEach(function (each) {
        var name = "contacts." + each.key + "." + EFFECT[line], at = of(name), given = {};
        for (var draw = 0; draw < count; draw += 1) {
          given[name] = at[draw];
          nets[draw] += level[draw] * lineAt(work, each, line, given);
        }
      });
    });
    cohort.sums.forEach(function (each) {
      var own = "contacts." + each.key + ".", contact = work.types[each.key];
      var rate = each.pool === "adviser" ? "cost.rate_adviser" : "cost.rate_office", usual = work.reg[rate].value;
      var minutes = of(own + "minutes"), paid = of(own + "cost"), rates = of(rate);
      var hourly = each.pool === "automatic" ? 0 : 100 / 60;
      for (var draw = 0; draw < count; draw += 1) {
        var time = hourly * each.reached * (minutes[draw] * rates[draw] - contact.minutes * usual);
        nets[draw] -= Math.max(each.cost + time + 100 * each.reached * (paid[draw] - contact.cost), 0);
      }
    });
    var price = of("price.per_customer"), above = 0;
    for (var draw = 0; draw < count; draw += 1) {
      nets[draw] -= 100 * price[draw] * work.basis.block.customers;
      if (nets[draw] > 0) { above += 1; }
    }
    nets.sort();
    return { above: above / count, low: nets[BAND[0]], base: nets[BAND[1]], high: nets[BAND[2]] };
  }

  // The whole case under other values of the register, without the contact types that are switched off.
  function worked(basis, values, off) {
    var reg = register(basis.block, values), types = ladder(basis.block, reg, off || []), was = basis.block.register;
    function rate(name) { return reg["cost.rate_" + name].value; }
    var prospects = prospectsAt(basis, rate("office") - was["cost.rate_office"].value,
      rate("adviser") - was["cost.rate_adviser"].value);
    var work = { basis: basis, reg: reg, types: types, prospects: prospects, pushes: pushesOf(basis, types, prospects),
      rates: { automatic: 0, inside: 100 * rate("office") / 60, adviser: 100 * rate("adviser") / 60 }, available: {} };
    POOLS.forEach(function (pool) {
      var each = basis.block.pools[pool];
      work.available[pool] = each.own + each.usual * reg["capacity.hours_per_year_" + pool].value;
    });
    settled(work);
    var first = cohortOf(work), later = nextYear(work, first), second = cohortOf(later);
    var cohorts = [first, second, cohortOf(nextYear(later, second))], net = gainedLess(work, first, 1), paid = price(work);
    SIDES.forEach(function (side) { net[side] -= paid[side]; });
    var lines = {}, hours = {};
    LINES.forEach(function (line) { lines[line] = benefit(work, first, line); });
    POOLS.forEach(function (pool, place) {
      hours[pool] = { used: sum(first.sums, function (each) { return each.minutes[pool]; }) / 60,
        available: work.available[pool] / 60, price: 60 * first.prices[place] };
    });
    var cash = cashOf(work, cohorts);
    return { benefit: gained(first), contacts: spent(first), price: paid.base, net: net, lines: lines, plan: first.sums,
      hours: hours, cash: cash.years, running: cash.running, payback: cash.payback, deepest: cash.deepest,
      later: [gained(second), gained(cohorts[2])], options: options(work, cohorts), tornado: tornado(work, first),
      band: band(work, first) };
  }

  return { read: read, worked: worked };
})();
