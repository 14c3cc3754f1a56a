"""The style sheet of reports, bound to the class `latebind` so that it touches
nothing else on a page that it is put in.

A method has a hue (--h) and one of three steps of lightness (--s), so that neighbours
differ without colour vision as well; the number says it in any case. Light and dark
follow the reader's setting; in a notebook, the notebook's.
"""

_LIGHT = """--paper:#fcfcfb;--ink:#1d2024;--soft:#5d646e;--line:#dcdfe3;--panel:#f2f3f4;
--link:#0b5cad;--warn:#9a3b00;--heat:214 96 16;--l:.9;--step:-.085;--c:.105;
color-scheme:light"""

_DARK = """--paper:#15171a;--ink:#e6e8eb;--soft:#9aa2ad;--line:#31363d;--panel:#1e2125;
--link:#7db7f5;--warn:#ffb073;--heat:232 116 40;--l:.37;--step:.075;--c:.095;
color-scheme:dark"""

# `&` stands for the class, doubled to outweigh what notebooks say of tables.
_RULES = """
&{LIGHT}
@media (prefers-color-scheme:dark){&{DARK}}
[data-jp-theme-light=true] &,.vscode-light &{LIGHT}
[data-jp-theme-light=false] &,.vscode-dark &{DARK}
& *{box-sizing:border-box}
&{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,
"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%;padding:.2rem .9rem .9rem}
&.page{padding:0}
& main{max-width:76rem;margin:0 auto;padding:2rem 1.25rem 4rem}
& h1{font-size:1.9rem;line-height:1.2;margin:0;letter-spacing:-.01em;
overflow-wrap:anywhere}
& h2{font-size:1.5rem;margin:3.5rem 0 .2rem;overflow-wrap:anywhere}
& h3{font-size:1.15rem;margin:1.8rem 0 .4rem}
& h1~h2{font-size:1.15rem;margin:2.2rem 0 .4rem}
& h4,& h5,& h1~h3{font-size:1rem;font-weight:600;margin:1.2rem 0 .3rem}
& p{margin:.35rem 0}
& a{color:var(--link)}
& code,& pre,& .grid th,& .grid .m,& .grid .tie,& svg text,& .corner{font-family:
ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
& code{font-size:.88em;overflow-wrap:anywhere;background:none;color:inherit;padding:0}
& pre{font-size:.82rem;margin:.4rem 0 .2rem;padding:.5rem .7rem;border-radius:.4rem;
background:var(--panel);color:inherit;white-space:pre-wrap;overflow-wrap:anywhere}
& .facts,& .note,& .soft{color:var(--soft)}
& .facts,& .note{margin:.35rem 0 .9rem;overflow-wrap:anywhere}
& .warn{color:var(--warn)}
& .scroll{overflow-x:auto;max-width:100%;padding:3px 3px .5rem}
& .scroll:focus-visible{outline:2px solid var(--link);outline-offset:1px}
& .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);
white-space:nowrap}
& .chip{display:inline-block;min-width:1.9em;padding:.1em .35em;border-radius:.35rem;
text-align:center;font-size:.8rem;font-variant-numeric:tabular-nums}
& .m{background:hsl(var(--h) 55% 70%);background:oklch(calc(var(--l) + var(--s)*
var(--step)) var(--c) var(--h))}
& .tie{--on:oklch(calc(var(--l) + .5*var(--step)) var(--c) var(--a));--off:oklch(calc(
var(--l) + 1.6*var(--step)) var(--c) var(--b));background:repeating-linear-gradient(
135deg,var(--on) 0 6px,var(--off) 6px 12px);box-shadow:inset 0 0 0 2px var(--warn);
font-weight:700}
& .exact{box-shadow:inset 0 0 0 2px color-mix(in oklab,var(--ink) 70%,transparent);
font-weight:700}
& .heat{background:rgb(var(--heat)/var(--v))}
& table{border-collapse:separate;border-spacing:2px;font-size:.85rem;margin:0;
border:0;width:auto;table-layout:auto;color:var(--ink)}
& tr,& tbody tr:nth-child(n){background:none}
& th,& td{border:0;color:inherit}
& .grid td{min-width:2.6rem;height:2.1rem;text-align:center;border-radius:.3rem;
padding:0 .35rem;cursor:default;white-space:nowrap;vertical-align:middle;
font-variant-numeric:tabular-nums}
& .grid td.none{background:var(--panel);color:var(--soft)}
& .grid th{font-weight:500;white-space:nowrap;padding:.2rem .5rem;text-align:center}
& .grid thead th{vertical-align:bottom}
& .grid.tall thead th span{writing-mode:vertical-rl;transform:rotate(180deg)}
& .grid tbody th{text-align:right;position:sticky;left:0;background:var(--paper);
z-index:1}
& .grid td.corner{color:var(--soft);position:sticky;left:0;background:var(--paper);
z-index:1;text-align:right;vertical-align:bottom;padding:.2rem .5rem}
& .grid sup{font-size:.65em;margin-left:.1em}
& .grid.one td.text{text-align:left;color:var(--soft);padding:0 .9rem 0 .5rem}
& .grid.one thead th{color:var(--soft);text-align:left}
& .grid.one thead th:first-child{text-align:right}
& .grid.one td.none{min-width:2.6rem}
& .number{text-align:right;font-variant-numeric:tabular-nums}
& .methods,& .ambiguities{list-style:none;margin:.4rem 0;padding:0;display:grid;
gap:.5rem}
& .methods li{display:flex;gap:.7rem;align-items:baseline;margin:0;
padding:.1rem 0 .5rem;border-bottom:1px solid var(--line)}
& .methods li>.chip{flex:none}
& .methods p{margin:.1rem 0 0}
& .methods .soft{font-size:.85rem;overflow-wrap:anywhere}
& .ambiguities li{border:1px solid var(--line);border-left:4px solid var(--warn);
border-radius:.5rem;padding:.55rem .9rem;margin:0}
& .ambiguities li.possible{border-left-color:var(--line)}
& .ambiguities p{margin:.2rem 0}
& .badge{color:var(--warn);font-size:.8rem;font-weight:600}
& .possible .badge{color:var(--soft)}
& .contents{border-spacing:0}
& .contents th,& .contents td{padding:.25rem 1.2rem .25rem 0;text-align:left;
border-bottom:1px solid var(--line);white-space:nowrap}
& .contents .number{text-align:right}
& .contents thead th{color:var(--soft);font-weight:500}
& .contents tbody th{font-weight:500}
& svg{display:block}
& svg text{font-size:12.5px;fill:var(--ink);text-anchor:middle}
& .edge{fill:none;stroke:var(--soft);stroke-width:1.3;opacity:.75}
& .edge.more{stroke-dasharray:5 4}
& .edge.virtual{stroke-dasharray:1 4;stroke-linecap:round;stroke-width:1.8}
& .node rect{fill:var(--paper);stroke:var(--line);stroke-width:1.3}
& .node.named rect{fill:var(--panel);stroke:var(--soft)}
& .node.named text{font-weight:700}
@media (max-width:40rem){& main{padding:1.25rem .9rem 3rem}& h1{font-size:1.5rem}
& .grid td{min-width:2.1rem}}
@media print{& .scroll{overflow:visible}
& *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

STYLE = (
    _RULES.replace("LIGHT", _LIGHT)
    .replace("DARK", _DARK)
    .replace("&", ".latebind.latebind")
)
