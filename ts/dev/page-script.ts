/** The status page's script: asks for the status once a second while somebody looks, and sends what is switched. Texts become text nodes only. */
export const script = `
'use strict'
const token = document.querySelector('meta[name=token]').content
const byId = (id) => document.getElementById(id)
const pad = (number) => String(number).padStart(2, '0')
const clock = (at) => { const date = new Date(at); return pad(date.getHours()) + ':' + pad(date.getMinutes()) + ':' + pad(date.getSeconds()) }
const lasting = (millis) => {
  if (millis < 1000) return (millis < 10 ? millis.toFixed(1) : Math.round(millis)) + ' ms'
  const seconds = Math.round(millis / 1000)
  if (seconds < 60) return (millis / 1000).toFixed(1) + ' s'
  return seconds < 3600 ? Math.floor(seconds / 60) + ' min ' + (seconds % 60) + ' s' : Math.floor(seconds / 3600) + ' h ' + Math.floor((seconds % 3600) / 60) + ' min'
}
const element = (name, className, ...children) => {
  const made = document.createElement(name)
  if (className) made.className = className
  made.append(...children)
  return made
}
const code = (text) => element('code', '', text)
/** Broken at slashes where it has to be. */
const path = (text) => element('code', '', ...text.split('/').flatMap((part, index) => (index ? ['/', document.createElement('wbr'), part] : [part])))
const chip = (text, kind) => element('span', 'chip ' + (kind || ''), text)

const cell = {
  when: (at) => element('td', 'when', clock(at)),
  name: (text) => element('td', 'name', text),
  short: (text) => element('td', 'short', text),
  number: (text) => element('td', 'number', text),
  text: (text) => element('td', 'text', code(text)),
  of: (child) => element('td', '', child),
}

const shown = new Map()
/** Fills a table's body, if it is not what it was. */
function fill(id, items, row, key) {
  const text = JSON.stringify(key ? items.map(key) : items)
  if (shown.get(id) === text) return
  shown.set(id, text)
  const table = byId(id)
  table.tBodies[0].replaceChildren(...items.map((item) => element('tr', '', ...row(item))))
  table.closest('.scroll').hidden = items.length === 0
  byId(id + '-empty').hidden = items.length > 0
}

function figure(id, value, note, bad) {
  const place = byId(id)
  const small = element('small', '', note ? ' ' + note : '')
  if (place.textContent === value + small.textContent) return
  place.replaceChildren(String(value), small)
  place.parentElement.classList.toggle('bad', Boolean(bad))
}

function show(status) {
  const { counts } = status
  const on = status.on.length
  const state = byId('state')
  state.className = on ? 'faulty' : ''
  state.textContent = on ? (on === 1 ? 'one fault is on' : on + ' faults are on') : 'running'
  byId('since').textContent = 'PostgreSQL ' + status.postgresVersion + ', for ' + lasting(status.now - status.startedAt)
  figure('sessions-count', status.sessions.length, counts.connections === status.sessions.length ? '' : counts.connections + ' TCP')
  figure('logins-count', counts.accepted, counts.refused ? counts.refused + ' refused' : '', counts.refused)
  figure('tokens-count', counts.tokens)
  figure('calls-count', counts.calls, counts.failedCalls ? counts.failedCalls + ' failed' : '', counts.failedCalls)
  figure('slow-count', counts.slow)
  fill('sessions', status.sessions, (one) => [
    cell.of(chip(one.state || 'starting', one.state === 'active' ? 'good' : one.state.startsWith('idle in') ? 'warn' : '')),
    cell.number(lasting(one.millis)),
    cell.of(code(String(one.processId))),
    cell.short(one.applicationName || '–'),
    cell.short(one.branch),
    cell.text(one.text),
  ], (one) => [one, Math.round(one.millis / 1000)])
  fill('slow', status.slowQueries, (one) => [cell.when(one.at), cell.number(lasting(one.millis)), cell.short(one.branch), cell.text(one.text)])
  fill('tokens', status.tokens, (one) => {
    const left = one.expiresAt - status.now
    return [
      cell.when(one.issuedAt),
      cell.of(chip(one.kind === 'database' ? 'database' : 'workspace')),
      cell.of(left > 0 ? chip('until ' + clock(one.expiresAt), 'good') : chip('ended ' + clock(one.expiresAt), 'bad')),
      cell.name(one.identity),
      cell.name(one.scope.join(', ') || '–'),
    ]
  }, (one) => [one, one.expiresAt > status.now])
  fill('logins', status.logins, (one) => [
    cell.when(one.at),
    cell.of(one.accepted ? chip('accepted', 'good') : chip((one.code + ' ' + (one.refusal || 'refused')).trim(), 'bad')),
    cell.name(one.applicationName || '–'),
    cell.name(one.user),
    cell.name(one.database),
  ])
  fill('calls', status.calls, (one) => [
    cell.when(one.at),
    cell.of(chip(one.status ? String(one.status) : 'no answer', one.status && one.status < 400 ? 'good' : 'bad')),
    cell.text(one.method + ' ' + one.path),
  ])
  const where = JSON.stringify(status.branches)
  if (shown.get('where') !== where) {
    shown.set('where', where)
    byId('where').replaceChildren(...status.branches.flatMap((branch) => [
      element('div', '', element('dt', '', branch.name), element('dd', '', path('localhost:' + branch.port + '/' + status.database)), element('dd', '', path(branch.endpoint))),
    ]))
  }
  for (const button of document.querySelectorAll('.switch')) button.setAttribute('aria-checked', String(status.on.includes(button.dataset.name)))
  const latency = byId('latency')
  if (document.activeElement !== latency) latency.value = status.latencyMillis
}

let hiding
function say(text) {
  const said = byId('said')
  said.textContent = text
  said.classList.add('shown')
  clearTimeout(hiding)
  hiding = setTimeout(() => said.classList.remove('shown'), 3000)
}

let asking = false
async function refresh() {
  if (asking || document.hidden) return
  asking = true
  try {
    const answer = await fetch('/status.json', { signal: AbortSignal.timeout(10000) })
    if (!answer.ok) throw new Error(answer.statusText)
    show(await answer.json())
  } catch {
    byId('state').className = 'gone'
    byId('state').textContent = 'lakebase dev does not answer'
  }
  asking = false
}

async function change(path, body) {
  try {
    const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Lakebase-Token': token }, body: JSON.stringify(body) })
    const { done, error } = await answer.json()
    say(done || error)
  } catch {
    say('lakebase dev does not answer')
  }
  await refresh()
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-name]')
  if (!button) return
  const { name } = button.dataset
  if (button.classList.contains('switch')) change('/switches/' + name, { on: button.getAttribute('aria-checked') !== 'true' })
  else change('/actions/' + name, {})
})
byId('network').addEventListener('submit', (event) => {
  event.preventDefault()
  change('/latency', { millis: Number(byId('latency').value) })
})
document.addEventListener('visibilitychange', refresh)
setInterval(refresh, 1000)
refresh()
`
