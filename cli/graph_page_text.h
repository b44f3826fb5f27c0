// The text of the page of `pith inspect --html`, around its data. Everything from the model is written as text, never as
// markup. One reader: graph_page.cc.
#pragma once

namespace pith::cli {

inline constexpr char kPageHead[] = R"page(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Pith model</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { --paper: #fbfaf7; --ink: #23221f; --faint: #8a867c; --line: #dcd8cd; --card: #fff; --mark: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --paper: #1c1b19; --ink: #e8e5dc; --faint: #98948a; --line: #3b3934; --card: #262522; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header, section { padding: 16px 24px; border-bottom: 1px solid var(--line); }
h1 { font-size: 20px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 0 0 10px; }
.facts { color: var(--faint); } .legend span { display: inline-block; margin-right: 14px; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 5px; vertical-align: -1px; }
#graph { display: grid; grid-template-columns: minmax(0, 1fr) 320px; gap: 16px; }
#view { height: 620px; overflow: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
#detail { border: 1px solid var(--line); border-radius: 8px; background: var(--card); padding: 12px; height: 620px; overflow: auto; }
#detail dt { color: var(--faint); font-size: 12px; margin-top: 8px; } #detail dd { margin: 0; overflow-wrap: anywhere; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); } svg .small { font-size: 9.5px; fill: var(--faint); }
svg .node { cursor: pointer; } svg .node rect { stroke: none; } svg .node.on rect { stroke: var(--mark); stroke-width: 2.5; }
svg .edge { fill: none; stroke: var(--faint); stroke-opacity: .55; } svg .edge.on { stroke: var(--mark); stroke-opacity: 1; stroke-width: 2; }
svg .life { stroke: var(--card); stroke-width: .6; } svg .life.on { stroke: var(--mark); stroke-width: 2; }
#plan { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.scroll { max-height: 420px; overflow: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 4px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { position: sticky; top: 0; background: var(--card); } td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.on td { background: color-mix(in srgb, var(--mark) 14%, transparent); } td.why { color: var(--faint); }
@media (max-width: 900px) { #graph { grid-template-columns: 1fr; } #detail { height: auto; } }
</style></head><body>
<header><h1 id="title"></h1><div class="facts" id="facts"></div></header>
<section><h2>Graph</h2><p class="legend" id="legend"></p><div id="graph"><div id="view"></div><div id="detail">Choose a node.</div></div></section>
<section><h2>Memory plan</h2><p class="facts" id="planfacts"></p><div id="plan"></div></section>
<section><h2>Kernels</h2><div class="scroll"><table id="kernels"></table></div></section>
<section><h2>Tensors</h2><div class="scroll"><table id="tensors"></table></div></section>
<script type="application/json" id="data">)page";

inline constexpr char kPageTail[] = R"page(</script>
<script>
'use strict';
const D = JSON.parse(document.getElementById('data').textContent), G = D.graph, N = D.nodes, T = G.tensors;
const $ = id => document.getElementById(id), SVG = 'http://www.w3.org/2000/svg';
const el = (name, attributes = {}, text = null, space = null) => {
  const e = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== null) e.textContent = text;
  return e;
};
const svg = (name, attributes, text = null) => el(name, attributes, text, SVG);
const size = b => b < 1000 ? b + ' B' : b < 1e6 ? (b / 1e3).toFixed(1) + ' kB' : (b / 1e6).toFixed(2) + ' MB';
const backend = n => n.kernel.split(':')[0];
const hues = {pith: 152, xnnpack: 214, reference: 34};
const colour = (b, light = 72) => `hsl(${hues[b] ?? 280} 55% ${light}%)`;

$('title').textContent = document.title = D.title;
$('facts').textContent = [D.program.producer, ...Object.entries(D.program.metadata).map(([k, v]) => k + ' ' + v), size(D.bytes),
  D.tensors.parameters.toLocaleString('en') + ' parameters', D.bits_per_weight.toFixed(2) + ' bits per weight', N.length + ' steps'].join(' · ');
for (const b of [...new Set(N.map(backend))]) {
  const s = el('span'); s.append(el('i', {style: 'background:' + colour(b)}), `${b}: ${N.filter(n => backend(n) === b).length} steps`);
  $('legend').append(s);
}

// Layers by the longest way from an input; inside a layer, near the middle of what a node reads.
const maker = new Map();
G.edges.forEach((e, i) => e.out.forEach(t => maker.set(t, i)));
const sources = i => G.edges[i].after;
const layer = [], place = [], rows = [];
N.forEach((_, i) => {
  layer[i] = Math.max(0, ...sources(i).map(s => layer[s] + 1));
  (rows[layer[i]] ??= []).push(i);
});
const W = 190, H = 40, GX = 18, GY = 34;
for (const row of rows) {
  const want = i => { const s = sources(i).map(k => place[k]); return s.length ? s.reduce((a, b) => a + b) / s.length : 0; };
  row.sort((a, b) => want(a) - want(b) || a - b);
  row.forEach((i, k) => { place[i] = (k - (row.length - 1) / 2) * (W + GX); });
}
const left = Math.min(0, ...place) - W / 2 - 20, wide = Math.max(0, ...place) + W / 2 + 20 - left, tall = rows.length * (H + GY) + 20;
const canvas = svg('svg', {width: wide, height: tall, viewBox: `${left} 0 ${wide} ${tall}`});
const y = i => 14 + layer[i] * (H + GY), edges = [], boxes = [], lives = [], lines = [];
N.forEach((_, i) => sources(i).forEach(s => {
  const a = place[s], b = place[i], from = y(s) + H, to = y(i), bend = Math.min(60, (to - from) / 2 + 6);
  const p = svg('path', {class: 'edge', d: `M${a} ${from}C${a} ${from + bend} ${b} ${to - bend} ${b} ${to}`});
  edges.push([s, i, p]); canvas.append(p);
}));
const cut = (text, n) => text.length > n ? text.slice(0, n - 1) + '…' : text;
N.forEach((n, i) => {
  const g = svg('g', {class: 'node', tabindex: 0});
  g.append(svg('rect', {x: place[i] - W / 2, y: y(i), width: W, height: H, rx: 7, fill: colour(backend(n)), 'fill-opacity': .55}),
    svg('text', {x: place[i] - W / 2 + 9, y: y(i) + 16}, `${n.op} ${n.precision}`),
    svg('text', {x: place[i] - W / 2 + 9, y: y(i) + 31, class: 'small'}, cut(`${n.output ?? ''}  ${n.kernel.split(':')[1]}`, 36)),
    svg('title', {}, n.name));
  g.addEventListener('click', () => choose(i));
  g.addEventListener('keydown', e => { if (e.key === 'Enter') choose(i); });
  boxes[i] = g; canvas.append(g);
});
$('view').append(canvas);
$('view').scrollLeft = (wide - $('view').clientWidth) / 2;

// The arena: time to the right, addresses upwards.
const alive = T.map((t, i) => [t, i]).filter(([t]) => t.life && t.bytes > 0);
const top_ = Math.max(1, ...alive.map(([t]) => t.life[3] + t.bytes)), PW = Math.max($('plan').clientWidth - 24, N.length * 6), PH = 260;
const plan = svg('svg', {width: PW + 20, height: PH + 30, viewBox: `-10 -6 ${PW + 20} ${PH + 30}`});
for (const [t, i] of alive) {
  const [, first, last, offset] = t.life, step = PW / Math.max(1, N.length);
  const r = svg('rect', {class: 'life', x: first * step, width: (last - first + 1) * step, y: PH - (offset + t.bytes) / top_ * PH,
    height: Math.max(1, t.bytes / top_ * PH), fill: `hsl(${i * 47 % 360} 45% 60%)`});
  r.append(svg('title', {}, `${t.name}\n${t.dtype} ${t.shape}, ${size(t.bytes)} at ${offset}, steps ${first} to ${last}`));
  r.addEventListener('click', () => { if (maker.has(i)) choose(maker.get(i)); });
  (lives[i] ??= []).push(r); plan.append(r);
}
plan.append(svg('text', {x: 0, y: PH + 18, class: 'small'}, 'step 0'), svg('text', {x: PW, y: PH + 18, class: 'small', 'text-anchor': 'end'}, `step ${N.length - 1}`));
$('plan').append(plan);
$('planfacts').textContent = `Activations ${size(D.memory.arena_bytes)}, of which scratch ${size(D.memory.scratch_bytes)}; without reuse they would take ` +
  `${size(alive.reduce((sum, [t]) => sum + t.bytes, 0))}. A bar is a tensor: from the step that makes it to the last that reads it, at its place in the arena.`;

const row = (table, cells, kind = 'td') => {
  const r = el('tr');
  for (const c of cells) r.append(typeof c === 'number' ? el(kind, {class: 'n'}, size(c)) : el(kind, c.why ? {class: 'why'} : {}, c.why ?? c));
  table.append(r);
  return r;
};
row($('kernels'), ['step', 'operator', 'kernel', 'output', 'node', 'why no other'], 'th');
N.forEach((n, i) => { lines[i] = row($('kernels'), [String(i), `${n.op} ${n.precision}`, n.kernel, n.output ?? '', n.name, {why: n.reason ?? ' '}]);
  lines[i].addEventListener('click', () => choose(i)); });
row($('tensors'), ['tensor', 'type', 'shape', 'size', 'kind', 'quantization'], 'th');
T.forEach((t, i) => row($('tensors'), [t.name, t.dtype, t.shape, t.bytes,
  t.constant ? 'constant' : G.inputs.includes(i) ? 'input' : G.outputs.includes(i) ? 'output' : 'activation',
  t.scales ? t.scales + ' scales' : t.scale ? 'scale ' + t.scale.toPrecision(4) : ' ']));

function choose(i) {
  boxes.forEach((b, k) => b.classList.toggle('on', k === i));
  lines.forEach((l, k) => l.classList.toggle('on', k === i));
  edges.forEach(([a, b, p]) => p.classList.toggle('on', a === i || b === i));
  lives.flat().forEach(r => r.classList.remove('on'));
  G.edges[i].out.forEach(t => (lives[t] ?? []).forEach(r => r.classList.add('on')));
  const list = el('dl'), n = N[i], add = (k, v) => { list.append(el('dt', {}, k), el('dd', {}, v)); };
  const tensor = t => `${T[t].name}: ${T[t].dtype} ${T[t].shape}${T[t].constant ? ', constant ' + size(T[t].bytes) : ''}`;
  add('node', n.name); add('operator', `${n.op} ${n.precision}, step ${i}`); add('kernel', n.kernel);
  if (n.reason) add('why no other', n.reason);
  G.edges[i].in.forEach(t => add('reads', tensor(t)));
  G.edges[i].out.forEach(t => add('makes', tensor(t)));
  $('detail').replaceChildren(list);
}
</script></body></html>
)page";

}  // namespace pith::cli
