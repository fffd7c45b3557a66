/** The status page: one document without anything from elsewhere. */

import { createHash } from 'node:crypto'
import { script } from './page-script.js'
import { style } from './page-style.js'
import { actions, switches, type Action, type Switch } from './switches.js'

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing runs but the page's own script, nothing is loaded, and nobody frames it. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const icon =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cellipse cx=%228%22 cy=%224%22 rx=%226%22 ry=%222.5%22 fill=%22%23b8341b%22/%3E%3Cpath d=%22M2 6c0 3.4 12 3.4 12 0v6c0 3.4-12 3.4-12 0z%22 fill=%22%23b8341b%22/%3E%3C/svg%3E'

/** `token`: what a request that changes something has to bring. */
export function page(token: string): string {
  const groups = [...new Set(switches.map(({ group }) => group))]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="token" content="${escapeHtml(token)}">
<meta name="robots" content="noindex">
<title>lakebase dev</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
<body>
<header>
<h1>lakebase dev</h1>
<p><span id="state">starting</span> <span id="since"></span></p>
<nav aria-label="On this page"><a href="#faults-title">Faults</a></nav>
</header>
<noscript><p>This page needs JavaScript, which this browser has turned off.</p></noscript>
<dl class="figures">
${figure('sessions-count', 'sessions')}
${figure('logins-count', 'logins')}
${figure('tokens-count', 'tokens issued')}
${figure('calls-count', 'API calls')}
${figure('slow-count', 'slow queries')}
</dl>
<main>
<div class="column">
${table('sessions', 'Sessions', ['State', 'For', 'Process', 'Application', 'Branch', 'Statement'], 'Nobody is connected.', [1])}
${table('slow', 'Slow queries', ['At', 'Took', 'Branch', 'Statement'], 'None so far.', [1])}
${table('tokens', 'Tokens', ['Issued', 'For', 'Valid', 'Identity', 'Endpoint'], 'None so far. Their values are not shown.')}
${table('logins', 'Logins', ['At', 'Outcome', 'Application', 'User', 'Database'], 'None so far.')}
${table('calls', 'Calls of the workspace API', ['At', 'Status', 'Call'], 'None so far.')}
</div>
<div class="column">
<section aria-labelledby="where-title"><h2 id="where-title">Branches</h2><dl class="where" id="where"></dl></section>
<section aria-labelledby="faults-title"><h2 id="faults-title">Faults</h2>
${groups.map((group) => switchGroup(group)).join('\n')}
<form id="network" novalidate><label for="latency">Added round-trip time (ms)<input id="latency" type="number" min="0" max="10000" step="1" inputmode="numeric" value="0"></label><button type="submit">Set</button></form>
</section>
<section aria-labelledby="once-title"><h2 id="once-title">Once</h2><div class="acts">
${actions.map(button).join('\n')}
</div></section>
</div>
</main>
<p id="said" role="status"></p>
<script>${script}</script>
</body>
</html>
`
}

function figure(id: string, label: string): string {
  return `<div><dt>${label}</dt><dd id="${id}">0</dd></div>`
}

function table(id: string, title: string, columns: string[], empty: string, numbers: number[] = []): string {
  const heads = columns.map((column, index) => `<th scope="col"${numbers.includes(index) ? ' class="number"' : ''}>${column}</th>`)
  return `<section aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
<p class="empty" id="${id}-empty">${empty}</p>
<div class="scroll" role="region" aria-labelledby="${id}-title" tabindex="0" hidden><table id="${id}"><thead><tr>${heads.join('')}</tr></thead><tbody></tbody></table></div></section>`
}

function switchGroup(group: Switch['group']): string {
  const own = switches.filter((one) => one.group === group)
  const id = `group-${group.toLowerCase().replaceAll(' ', '-')}`
  const buttons = own.map(
    ({ name, title, effect }) =>
      `<button class="switch" type="button" role="switch" aria-checked="false" data-name="${name}"><span><b>${escapeHtml(title)}</b><small>${escapeHtml(effect)}</small></span></button>`,
  )
  return `<h3 id="${id}">${group}</h3><div role="group" aria-labelledby="${id}">${buttons.join('\n')}</div>`
}

function button({ name, title, effect }: Action): string {
  return `<button type="button" data-name="${name}"><b>${escapeHtml(title)}</b><small>${escapeHtml(effect)}</small></button>`
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replaceAll(/[&<>"']/g, (character) => names[character]!)
}
