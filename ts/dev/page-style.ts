/** The status page's style: the reader's own colour scheme, one column on a phone. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f5f4f0; --card: #ffffff; --line: #dedbd3; --text: #1d2126; --soft: #5b626b;
  --accent: #b8341b; --accent-text: #ffffff; --good: #1a7340; --bad: #b3261e; --warn: #8a5a00; --chip: #eeece6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1317; --card: #171d23; --line: #2b343d; --text: #e7ebef; --soft: #9aa5b1;
    --accent: #ff8a70; --accent-text: #231009; --good: #5bd08c; --bad: #ff8f86; --warn: #e9b84f; --chip: #222a32;
  }
}
* { box-sizing: border-box; }
html { font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; background: var(--ground); color: var(--text); }
body { margin: 0 auto; max-width: 82rem; padding: 1.25rem clamp(0.9rem, 3vw, 2rem) 3rem; }
h1, h2, h3, p, dl, dd, ul { margin: 0; padding: 0; }
h1 { font-size: 1.35rem; letter-spacing: -0.01em; }
h2 { font-size: 0.95rem; }
h3 { font-size: 0.8rem; font-weight: 600; color: var(--soft); margin: 0.9rem 0 0.25rem; }
code, .mono { font-family: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace; font-size: 0.86em; overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; align-items: baseline; justify-content: space-between; margin-bottom: 1rem; }
header p { color: var(--soft); }
#state { display: inline-flex; align-items: center; gap: 0.45rem; font-weight: 600; color: var(--good); }
#state::before { content: ""; width: 0.6rem; height: 0.6rem; border-radius: 50%; background: currentColor; }
#state.faulty { color: var(--warn); }
#state.gone { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.7rem; margin-bottom: 0.9rem; }
.figures div, section { background: var(--card); border: 1px solid var(--line); border-radius: 0.7rem; }
.figures div { display: flex; flex-direction: column-reverse; padding: 0.65rem 0.9rem 0.75rem; }
.figures dt { color: var(--soft); font-size: 0.82rem; }
.figures dd { font-size: 1.6rem; font-weight: 650; line-height: 1.15; font-variant-numeric: tabular-nums; }
.figures small { font-size: 0.78rem; font-weight: 500; color: var(--soft); }
.figures .bad small { color: var(--bad); }
main { display: grid; gap: 0.9rem; grid-template-columns: minmax(0, 1fr) 21rem; align-items: start; }
.column { display: grid; gap: 0.9rem; min-width: 0; }
section { padding: 0.85rem 1rem 1rem; min-width: 0; }
.scroll { overflow-x: auto; margin-top: 0.5rem; max-height: 19rem; overflow-y: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.87rem; }
th { position: sticky; top: 0; background: var(--card); text-align: left; font-weight: 600; color: var(--soft); font-size: 0.78rem; padding: 0.25rem 0.9rem 0.35rem 0; white-space: nowrap; }
td { border-top: 1px solid var(--line); padding: 0.35rem 0.9rem 0.35rem 0; vertical-align: top; }
td:last-child, th:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.when { white-space: nowrap; color: var(--soft); font-variant-numeric: tabular-nums; }
td.text { min-width: 13rem; }
.text code { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; white-space: pre-wrap; }
.name { min-width: 8.5rem; max-width: 17rem; overflow-wrap: break-word; }
.short { white-space: nowrap; }
.chip { display: inline-block; background: var(--chip); border-radius: 0.4rem; padding: 0 0.45rem; white-space: nowrap; font-size: 0.82rem; }
.chip.good { color: var(--good); } .chip.bad { color: var(--bad); } .chip.warn { color: var(--warn); }
.empty { color: var(--soft); padding: 0.5rem 0 0; }
.where { display: grid; gap: 0.55rem; margin-top: 0.5rem; }
.where dt { color: var(--soft); font-size: 0.78rem; }
.switch { display: flex; gap: 0.7rem; align-items: center; width: 100%; min-height: 2.75rem; padding: 0.3rem 0.2rem; border: 0; border-radius: 0.45rem; background: none; color: inherit; font: inherit; font-size: 0.9rem; text-align: left; cursor: pointer; }
.switch + .switch { border-top: 1px solid var(--line); border-radius: 0 0 0.45rem 0.45rem; }
.switch span { flex: 1; min-width: 0; line-height: 1.25; }
.switch small, .acts small { display: block; color: var(--soft); font-size: 0.78rem; }
.switch::after { content: ""; flex: none; width: 2.3rem; height: 1.3rem; border-radius: 1rem; border: 1px solid var(--soft); background: radial-gradient(circle at 0.62rem 50%, var(--soft) 0.4rem, transparent 0.45rem) var(--chip); }
.switch[aria-checked="true"]::after { border-color: var(--accent); background: radial-gradient(circle at calc(100% - 0.62rem) 50%, var(--accent-text) 0.4rem, transparent 0.45rem) var(--accent); }
.switch[aria-checked="true"] b { color: var(--accent); }
.switch b, .acts b { font-weight: 600; }
.switch:hover { background: var(--chip); }
.acts { display: grid; grid-template-columns: 1fr 1fr; gap: 0.5rem; margin-top: 0.6rem; }
.acts button, form button { min-height: 2.75rem; padding: 0.35rem 0.6rem; border: 1px solid var(--line); border-radius: 0.5rem; background: var(--chip); color: inherit; font: inherit; font-size: 0.9rem; line-height: 1.25; text-align: left; cursor: pointer; }
.acts button:hover, form button:hover { border-color: var(--soft); }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; margin-top: 0.8rem; }
form label { flex: 1; font-size: 0.87rem; }
form input { display: block; width: 100%; min-height: 2.75rem; margin-top: 0.2rem; padding: 0 0.6rem; border: 1px solid var(--soft); border-radius: 0.5rem; background: var(--ground); color: inherit; font: inherit; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
#said { position: fixed; inset: auto 0 1.1rem; margin: auto; width: fit-content; max-width: 90vw; padding: 0.55rem 1rem; border-radius: 0.6rem; background: var(--text); color: var(--ground); opacity: 0; transition: opacity 0.2s; pointer-events: none; }
#said.shown { opacity: 1; }
@media (prefers-reduced-motion: reduce) { #said { transition: none; } }
nav { display: none; }
nav a { color: inherit; }
@media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); } nav { display: block; } }
@media (max-width: 30rem) { .figures { grid-template-columns: 1fr 1fr; } .figures div:last-child:nth-child(odd) { grid-column: 1 / -1; } .acts { grid-template-columns: 1fr; } }
`
