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

/** F and V of the next-generation matrix at the carrier-free state, external arrivals off. */
const generation = (mode, p) => {
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
  return {F, V};
};

/** Spectral radius of F V^-1, by power iteration on V^-1 F. */
const r0 = (mode, p) => {
  const {F, V} = generation(mode, p);
  let x = mode.carrying.map(() => 1), size = 0;
  for (let turn = 0; turn < 200; turn++) {
    const next = solve(V, F.map((row) => row.reduce((sum, f, j) => sum + f * x[j], 0)));
    size = Math.max(...next.map(Math.abs));
    if (size === 0) return 0;
    x = next.map((v) => v / size);
  }
  return size;
};

/** What each carrying state adds to R0: days spent there by one who enters, times entrants brought from there a day. */
const loops = (mode, p) => {
  const {F, V} = generation(mode, p);
  const entry = F.map((row) => row.reduce((a, b) => a + b, 0)), total = entry.reduce((a, b) => a + b, 0);
  if (!(total > 0)) return entry.map(() => 0);
  const days = solve(V, entry.map((v) => v / total));
  return days.map((v, j) => v * F.reduce((sum, row) => sum + row[j], 0));
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
