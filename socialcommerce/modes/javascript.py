"""A mode as JavaScript for a page that runs it in the browser, written from the same declaration."""

from __future__ import annotations

import json
from dataclasses import asdict

from socialcommerce.modes.compartments import Mode
from socialcommerce.modes.expressions import JAVASCRIPT, parse, write

__all__ = ["to_javascript"]

ENGINE = """\
const safediv = (a, b) => b === 0 ? 0 : a / b;
const poisson_tail = (m, x) => {
  let term = 1, total = 0;
  for (let k = 0; k < m; k++) { total += term; term *= x / (k + 1); }
  return 1 - Math.exp(-x) * total;
};

/** Persons per day along every flow, at persons y by state and parameters p by name. */
const flowRates = (mode, y, p) => mode.hazards(y, p).map((h, k) => h * y[mode.flows[k].from]);

const derivative = (mode, y, p) => {
  const dy = y.map(() => 0);
  flowRates(mode, y, p).forEach((rate, k) => { dy[mode.flows[k].from] -= rate; dy[mode.flows[k].to] += rate; });
  return dy;
};

/** Classical Runge-Kutta; returns steps + 1 lists of persons by state. */
const simulate = (mode, p, y, days, dt) => {
  const at = (u, k, h) => u.map((v, i) => v + h * k[i]), rows = [y];
  for (let step = 0; step < Math.round(days / dt); step++) {
    const k1 = derivative(mode, y, p), k2 = derivative(mode, at(y, k1, dt / 2), p);
    const k3 = derivative(mode, at(y, k2, dt / 2), p), k4 = derivative(mode, at(y, k3, dt), p);
    y = y.map((v, i) => v + dt / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]));
    rows.push(y);
  }
  return rows;
};

/** Spectral radius of F V^-1 at the customer-free state, by power iteration on V^-1 F. */
const r0 = (mode, p) => {
  const off = {...p}, among = mode.carrying, h = 1e-4;
  mode.external.forEach((name) => { off[name] = 0; });
  const slope = among.map((j) => {
    const rates = [h, -h].map((d) => flowRates(mode, mode.free.map((v, i) => i === j ? v + d : v), off));
    return rates[0].map((rate, k) => (rate - rates[1][k]) / (2 * h));
  });
  const F = among.map((i) => slope.map((column) =>
    column.reduce((sum, rate, k) => sum + (mode.flows[k].enters && mode.flows[k].to === i ? rate : 0), 0)));
  const V = among.map((i, a) => slope.map((column, b) => F[a][b] - column.reduce((sum, rate, k) =>
    sum + (mode.flows[k].to === i ? rate : 0) - (mode.flows[k].from === i ? rate : 0), 0)));
  let x = among.map(() => 1), size = 0;
  for (let turn = 0; turn < 200; turn++) {
    const next = solve(V, F.map((row) => row.reduce((sum, f, j) => sum + f * x[j], 0)));
    size = Math.max(...next.map(Math.abs));
    if (size === 0) return 0;
    x = next.map((v) => v / size);
  }
  return size;
};

/** Gauss with row exchange. */
const solve = (matrix, right) => {
  const a = matrix.map((row, i) => [...row, right[i]]), n = a.length;
  for (let i = 0; i < n; i++) {
    let best = i;
    for (let r = i + 1; r < n; r++) if (Math.abs(a[r][i]) > Math.abs(a[best][i])) best = r;
    [a[i], a[best]] = [a[best], a[i]];
    for (let r = i + 1; r < n; r++) {
      const f = a[r][i] / a[i][i];
      for (let c = i; c <= n; c++) a[r][c] -= f * a[i][c];
    }
  }
  const x = Array(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    x[i] = (a[i][n] - a[i].slice(i + 1, n).reduce((sum, v, k) => sum + v * x[i + 1 + k], 0)) / a[i][i];
  }
  return x;
};
"""


def to_javascript(*modes: Mode, name: str = "socialcommerceModes") -> str:
    """Write modes as one script that defines a global object.

    Returns
    -------
    str
        ``name = {modes, simulate, r0, derivative}``. ``modes[key]`` holds states and parameters (words in both
        languages, units, ranges, marks) as data and ``hazards(y, p)``; ``simulate(mode, p, y, days, dt)`` takes fixed
        steps of order 4; ``r0(mode, p)`` is the spectral radius of the next-generation matrix.

    Examples
    --------
    >>> from socialcommerce.modes.content import CONTENT
    >>> "const delta = (delta0 + (delta1 * Math.pow(n, 2)));" in to_javascript(CONTENT)
    True
    """
    written = ",\n".join(f"{json.dumps(mode.name)}: {_mode(mode)}" for mode in modes)
    return (f"const {name} = (() => {{\n{ENGINE}\nconst modes = {{\n{written}\n}};\n"
            "return {modes, simulate, r0, derivative};\n})();\n")


def _mode(mode: Mode) -> str:
    data = {
        "words": dict(mode.words),
        "states": [asdict(state) for state in mode.states],
        "parameters": [asdict(parameter) for parameter in mode.parameters],
        "flows": [{"from": mode.index[f.source], "to": mode.index[f.target], "enters": f.enters, "words": dict(f.words)}
                  for f in mode.flows],
        "free": mode.start().tolist(),
        "carrying": mode.carrying.tolist(),
        "external": list(mode.external),
    }
    laws = "".join(f"    const {a.name} = {write(parse(a.text), JAVASCRIPT)};\n" for a in mode.auxiliaries)
    hazards = ",\n      ".join(write(parse(f.hazard), JAVASCRIPT) for f in mode.flows)
    fields = ",\n  ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in data.items())
    return (f"{{\n  {fields},\n  hazards: (y, p) => {{\n    const [{', '.join(mode.index)}] = y;\n"
            f"    const N = {' + '.join(mode.index)};\n    const {{{', '.join(mode.parameter)}}} = p;\n{laws}"
            f"    return [\n      {hazards},\n    ];\n  }}\n}}")
