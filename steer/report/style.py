"""How the page looks: in light and dark, on screen and on paper."""

STYLE = """
:root { color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1c1a; --soft: #71716b; --rule: #e4e4de;
  --steered: #1f6feb; --null: #a3a39b; --ceiling: #2a9d5c; --substitute: #c77d0a;
  --trace: #8b5cc7; --hot: #e5484d; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #161614; --ink: #ecebe6; --soft: #98978f; --rule: #32322e;
  --steered: #6aa8ff; --null: #77766f; --ceiling: #4cc38a; --substitute: #e9a83c;
  --trace: #b794f0; --hot: #f2686c; } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 980px; padding: 2.5rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 15px/1.55 system-ui, sans-serif; font-variant-numeric: tabular-nums }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2.6rem 0 .6rem }
p { margin: .4rem 0 } .soft, .meta { color: var(--soft) } .meta { font-size: .9rem }
.verdict { margin: 1.4rem 0; padding: .9rem 1.2rem; border-left: 5px solid var(--null);
  background: color-mix(in srgb, var(--null) 10%, transparent) }
.verdict strong { font-size: 1.25rem; display: block }
.verdict.good { border-color: var(--ceiling) } .verdict.bad { border-color: var(--hot) }
.verdict.mode { border-color: var(--substitute) }
ol.rules { list-style: none; padding: 0; font-size: .92rem }
ol.rules li { display: grid; grid-template-columns: 1.4rem 15rem 1fr; gap: .3rem;
  padding: .22rem 0; border-top: 1px solid var(--rule) }
i { font-style: normal } i.good { color: var(--ceiling) } i.bad { color: var(--hot) }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .82rem; width: 100% }
th, td { text-align: right; padding: .18rem .36rem; white-space: nowrap }
th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--rule) }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
tr.steered td { font-weight: 600 }
svg { width: 100%; height: auto; display: block; margin: .4rem 0 }
svg text { font-size: 12px; fill: var(--soft) } svg text.label { fill: var(--ink) }
.pair { display: flex; flex-wrap: wrap; gap: 1.5rem } .pair > svg { flex: 1 1 320px }
.rule { stroke: var(--rule) } .level { stroke: var(--soft); stroke-dasharray: 5 4 }
.chance { --color: var(--soft); stroke: var(--soft); stroke-dasharray: 1 4 }
.bar { fill: var(--steered); fill-opacity: .5 }
circle { fill: var(--color) } .interval { stroke: var(--color); stroke-width: 2.5;
  stroke-opacity: .45; stroke-linecap: round }
.curve { fill: none; stroke: var(--color); stroke-width: 2 }
.band { fill: var(--color); fill-opacity: .14 }
.cell { fill: color-mix(in srgb, var(--steered) calc(.6 * var(--heat)), var(--rule)); rx: 3 }
svg, circle, line { --color: var(--null) }
.steered, .dose { --color: var(--steered) } .ceiling, .prompt_cue { --color: var(--ceiling) }
.forced, .bias, .filler { --color: var(--substitute) }
.swapped, .corrupted, .truncated, .answer_only { --color: var(--trace) }
.example { border-top: 1px solid var(--rule); padding: .5rem 0 }
.asked { color: var(--soft) }
.said { display: grid; grid-template-columns: 9rem 1.2rem 1fr; gap: .3rem }
.tokens { font-family: ui-monospace, monospace; font-size: .88rem; white-space: pre-wrap }
.tokens span { background: color-mix(in srgb, var(--hot) var(--heat, 0%), transparent);
  border-radius: 3px }
ul.notes { padding-left: 1.1rem; font-size: .92rem }
@media print { :root { --paper: #fff; --ink: #000 } body { max-width: none; padding: 0;
  font-size: 11px } h2 { break-after: avoid } svg, table, .example { break-inside: avoid }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact } }
"""
