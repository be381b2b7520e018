// The operator's page of the chain: plots of the last hour, and a word when the figures are old.
(() => {
  const STALE_MS = 10_000, AGAIN_MS = 30_000, CHANNELS = { PUSH: 'Push', EMAIL: 'E-mail', SMS: 'SMS' };
  const live = document.getElementById('live'), stale = document.getElementById('stale'), hour = document.getElementById('hour');
  if (!live || !hour) return;

  let heard = Date.now();
  document.addEventListener('htmx:sse:after:message', () => { heard = Date.now(); });
  setInterval(() => {
    const old = !document.hidden && Date.now() - heard > STALE_MS;
    if (stale.hidden === old) { stale.hidden = !old; live.toggleAttribute('inert', old); }
  }, 1000);
  document.addEventListener('visibilitychange', () => { heard = Date.now(); });

  const dashes = [[], [7, 3], [2, 3]];                      // Lines differ by their dash, too.
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const line = (label, number, unit = '') => ({
    label, unit, stroke: () => token(`--plot-${number + 1}`), width: 2, dash: dashes[number], points: { show: false }, spanGaps: false,
    value: (_, v) => (v == null ? '–' : v.toLocaleString('en') + unit),
  });
  const axis = (values) => ({
    stroke: () => token('--ink-soft'), grid: { stroke: () => token('--grid'), width: 1 }, ticks: { show: false }, font: `12px ${token('--font')}`, ...(values ? { values } : {}),
  });
  const clock = (_, marks) => marks.map((at) => new Date(at * 1000).toISOString().slice(11, 16));

  function sorted(points) {                                 // Points of several jobs, one column of times.
    const times = [...new Set(points.map((point) => point.at))].sort((a, b) => a - b);
    return [times, times.map((at) => Math.max(...points.filter((point) => point.at === at).map((point) => point.duration ?? 0)))];
  }

  const kinds = {
    alerts: { series: Object.values(CHANNELS).map((name, number) => line(name, number)), data: (all) => [all.minutes, ...Object.keys(CHANNELS).map((key) => all.channels[key])] },
    bookings: { series: [line('Bookings', 0)], data: (all) => [all.minutes, all.bookings], restarts: true },
    dead: { series: [line('Dead letters', 1)], data: (all) => [all.minutes, all.dead_letters] },
    checkpoints: { series: [line('Duration', 2, ' ms')], data: (all) => sorted(all.checkpoints), points: true },
  };

  const drawn = new Map();
  let newest = null;

  function markRestarts(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = token('--warn');
    for (const { at } of newest.restarts) {
      const x = plot.valToPos(at, 'x', true), y = bbox.top + bbox.height, size = 7 * devicePixelRatio;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath(); ctx.moveTo(x - size, y); ctx.lineTo(x, y - 1.6 * size); ctx.lineTo(x + size, y); ctx.fill();
    }
    ctx.restore();
  }

  function draw(place) {
    const kind = kinds[place.dataset.plot], data = kind.data(newest);
    const width = place.clientWidth;
    const known = drawn.get(place);
    if (known) { known.setData(data); return; }
    const first = newest.minutes[0], last = newest.minutes.at(-1);
    drawn.set(place, new uPlot({
      width, height: 190, legend: { show: false }, cursor: { show: false }, ms: 1e-3,
      scales: { x: { time: true, range: () => [newest.minutes[0] ?? first, newest.minutes.at(-1) ?? last] }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, 5) * 1.1] } },
      axes: [{ ...axis(clock), size: 28 }, { ...axis(), size: 56 }],
      series: [{}, ...kind.series.map((series) => (kind.points ? { ...series, points: { show: true, size: 5 } } : series))],
      hooks: kind.restarts ? { draw: [markRestarts] } : {},
    }, data, place));
  }

  function describe(place) {
    const kind = kinds[place.dataset.plot], data = kind.data(newest), title = place.closest('figure').querySelector('h3').textContent;
    const figures = kind.series.map((series, number) => {
      const counts = data[number + 1].filter((count) => count != null);
      const last = counts.length ? counts.at(-1).toLocaleString('en') + series.unit : 'no news';
      return { label: series.label, number, last, most: counts.length ? Math.max(...counts).toLocaleString('en') : 'no news' };
    });
    const restarts = kind.restarts ? ` ${newest.restarts.length} restarts, marked by triangles.` : '';
    place.setAttribute('aria-label', `${title}: ${figures.map(({ label, last, most }) => `${label} ${last} now, at most ${most}`).join('; ')}.${restarts}`);
    const key = place.closest('figure').querySelector('.key');
    key.replaceChildren(...figures.map(({ label, number, last }) => {
      const item = document.createElement('li'), icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
      icon.setAttribute('aria-hidden', 'true');
      path.setAttribute('d', 'M0 6h28');
      path.setAttribute('class', `l${['checkpoints', 'dead'].includes(place.dataset.plot) ? { checkpoints: 3, dead: 2 }[place.dataset.plot] : number + 1}`);
      icon.append(path);
      item.append(icon, `${label} ${last}`);
      return item;
    }));
    if (kind.restarts && newest.restarts.length) {
      const item = document.createElement('li');
      item.textContent = `▲ ${newest.restarts.length} restarts`;
      key.append(item);
    }
  }

  async function renew() {
    if (document.hidden) return;
    try {
      const answer = await fetch(hour.dataset.source, { headers: { Accept: 'application/json' } });
      if (!answer.ok || !answer.headers.get('content-type')?.startsWith('application/json')) return;
      newest = await answer.json();
      for (const place of hour.querySelectorAll('[data-plot]')) { draw(place); describe(place); }
    } catch { /* The plots stay as they are, and end where they end: the notice on top says so. */ }
  }

  function again() {                                        // Colours and sizes are read when it is drawn.
    for (const [place, plot] of drawn) { plot.destroy(); drawn.delete(place); }
    if (newest) for (const place of hour.querySelectorAll('[data-plot]')) draw(place);
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
  new ResizeObserver(() => { for (const [place, plot] of drawn) plot.setSize({ width: place.clientWidth, height: 190 }); }).observe(hour);
  renew();
  setInterval(renew, AGAIN_MS);
})();
