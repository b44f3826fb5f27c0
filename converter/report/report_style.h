// Colours and layout of the report's page. One reader: report_html.cc.
#pragma once

namespace pith::report {

inline constexpr char kReportStyle[] = R"css(
:root { --paper: #faf9f6; --card: #fff; --ink: #22211e; --faint: #77736a; --line: #e3dfd5; --hard: #bdb8ab; --mark: #b4430b;
  --good: #1a7f5a; --bad: #b3261e; --warn: #96660a;
  --fp32: #8b877d; --fp16: #6f7fb0; --int8: #12877b; --int8d: #3f8fd2; --int4: #d98a1f; --nf4: #a45bb0; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #191817; --card: #232220; --ink: #ebe8e0; --faint: #a19c91; --line: #393733; --hard: #5e5a53;
  --mark: #ff9b5e; --good: #5cc79d; --bad: #ff8a80; --warn: #e7b74f;
  --fp32: #a29e94; --fp16: #94a3d6; --int8: #41b8a9; --int8d: #6cb4f0; --int4: #edaa4e; --nf4: #c98ad4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 14px; overflow-wrap: anywhere; } h2 { font-size: 17px; margin: 0 0 4px; }
p { margin: 0 0 10px; } small, .faint { color: var(--faint); } bdi { overflow-wrap: anywhere; }
.eyebrow { color: var(--faint); margin: 0 0 2px; font-size: 13px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; margin-top: 18px; }
section > p:first-of-type { color: var(--faint); font-size: 13.5px; max-width: 80ch; }
.verdict { border-left: 5px solid var(--faint); padding: 2px 0 2px 14px; font-size: 16px; max-width: 78ch; }
.verdict b:first-child { display: block; font-size: 18px; } .verdict ul { margin: 6px 0; padding-left: 20px; } .verdict li { margin-bottom: 6px; overflow-wrap: anywhere; }
.good { border-color: var(--good); } .good b:first-child { color: var(--good); } .bad { border-color: var(--bad); } .bad b:first-child { color: var(--bad); }
.warn { border-color: var(--warn); } .warn b:first-child { color: var(--warn); }
code { font: 13px ui-monospace, "DejaVu Sans Mono", monospace; background: var(--line); padding: 1px 5px; border-radius: 4px; white-space: nowrap; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 18px; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 16px; }
.tiles b { display: block; font-size: 25px; line-height: 1.2; font-variant-numeric: tabular-nums; white-space: nowrap; } .tiles span { color: var(--faint); font-size: 13px; }
.chip { display: inline-block; padding: 1px 9px; border-radius: 20px; font-size: 12.5px; white-space: nowrap; color: var(--ink); justify-self: start;
  background: color-mix(in srgb, var(--c) 22%, transparent); border: 1px solid var(--c); }
.p-fp32 { --c: var(--fp32); } .p-fp16, .p-bf16 { --c: var(--fp16); } .p-int8 { --c: var(--int8); } .p-int8-dynamic { --c: var(--int8d); }
.p-int4 { --c: var(--int4); } .p-nf4, .p-fp4 { --c: var(--nf4); }
svg { display: block; overflow: visible; } svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
.plot { width: 100%; height: auto; margin-top: 6px; } .plot.narrow { display: none; max-width: 560px; }
svg .axis { fill: var(--faint); } svg .end { text-anchor: end; } svg .mid { text-anchor: middle; }
svg .grid { stroke: var(--line); } svg .baseline { stroke: var(--hard); stroke-dasharray: 2 3; } svg .limit { stroke: var(--bad); stroke-dasharray: 6 4; }
svg .limitname { fill: var(--bad); } svg .front { stroke: var(--faint); stroke-width: 1.5; stroke-opacity: .7; }
.point { fill: var(--hard); stroke: none; } .point .whisker { stroke: var(--hard); stroke-width: 1.2; } .point.step { opacity: .55; }
.point.best { fill: var(--ink); } .point.best .whisker { stroke: var(--faint); } .point.chosen { fill: var(--mark); } .point.chosen .whisker { stroke: var(--mark); stroke-width: 2; }
svg .label { font-size: 12.5px; } svg .chosenname { fill: var(--mark); font-weight: 650; }
.key { display: flex; flex-wrap: wrap; gap: 6px 16px; font-size: 13px; color: var(--faint); margin: 6px 0 0; }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 50%; background: var(--hard); margin-right: 6px; } .key .c i { background: var(--mark); } .key .b i { background: var(--ink); }
.key .hollow i { background: var(--card); border: 2px solid var(--faint); } .key .full i { background: var(--faint); }
.layers { margin-top: 12px; } .layer { display: grid; grid-template-columns: minmax(0, 1.5fr) 108px minmax(0, 1.5fr) minmax(0, 1.5fr) minmax(0, 1.2fr); gap: 4px 18px; align-items: center;
  padding: 5px 0; border-top: 1px solid var(--line); } .layer.head { color: var(--faint); font-size: 12.5px; border: 0; align-items: end; }
.who { font-size: 13.5px; line-height: 1.3; min-width: 0; } .who small { display: block; font-size: 11.5px; }
.cell span { display: block; color: var(--faint); font-size: 12px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scale { display: flex; justify-content: space-between; font-size: 11px; margin: 0 -8px; } .scale i { width: 16px; text-align: center; font-style: normal; }
.bar .before { fill: var(--line); } .bar rect { fill: var(--c); } .bar .before, .stack .p-before { fill: var(--hard); opacity: .5; }
.dots .span { stroke: var(--hard); stroke-width: 1.5; } .dots .cumulative { fill: var(--c); } .dots .local { fill: var(--card); stroke: var(--c); stroke-width: 2; }
.whole { display: grid; grid-template-columns: 84px minmax(0, 1fr) 84px; gap: 12px; align-items: center; margin-top: 8px; } .whole div { font-size: 13.5px; } .whole div:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.stack rect { fill: var(--c); stroke: var(--card); stroke-width: 1; } .stack .p-rest { fill: var(--faint); }
.time rect { fill: var(--mark); } .time.was rect { fill: var(--hard); opacity: .5; }
.scroll { overflow-x: auto; margin: 8px -20px 0; padding: 0 20px; } table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; color: var(--faint); font-weight: 500; font-size: 12.5px; } td, th { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
td:first-child { white-space: normal; min-width: 110px; } .n { text-align: right; font-variant-numeric: tabular-nums; } tr.on td { background: color-mix(in srgb, var(--mark) 11%, transparent); } td[colspan] { white-space: normal; color: var(--faint); }
details summary { cursor: pointer; color: var(--mark); } .facts { margin: 0; padding-left: 20px; } .facts li { margin-bottom: 4px; overflow-wrap: anywhere; }
.classes { display: grid; grid-template-columns: auto minmax(60px, 1fr) auto; gap: 2px 14px; align-items: center; font-size: 13.5px; margin-top: 8px; } .classes div { font-variant-numeric: tabular-nums; }
.classes circle { fill: var(--mark); } .classes .local { fill: var(--card); stroke: var(--faint); stroke-width: 2; } .classes line { stroke: var(--mark); stroke-width: 2; } .classes .better { stroke: var(--good); } .classes circle.better { fill: var(--good); stroke: none; }
@media (max-width: 760px) {
  main { padding: 18px 12px 40px; } section { padding: 14px; } .scroll { margin: 8px -14px 0; padding: 0 14px; } .plot.wide { display: none; } .plot.narrow { display: block; }
  .layer { grid-template-columns: minmax(0, 1fr) auto; padding: 9px 0; } .layer.head { display: none; } .cell { grid-column: 1 / -1; display: grid; grid-template-columns: 62px minmax(0, 1fr) 118px; gap: 10px; align-items: center; }
  .cell::before { content: attr(data-label); color: var(--faint); font-size: 11.5px; line-height: 1.1; } .cell span { text-align: right; font-size: 11.5px; } .cell span:only-child { grid-column: 2 / -1; text-align: left; }
  .whole { grid-template-columns: 68px minmax(0, 1fr) 66px; gap: 8px; } .tiles { grid-template-columns: 1fr 1fr; } .tiles b { font-size: 21px; } .tiles div:last-child:nth-child(odd) { grid-column: 1 / -1; }
}
@media print { body { background: #fff; } section { break-inside: avoid; } }
)css";

}  // namespace pith::report
